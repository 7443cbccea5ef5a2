/** All an error says, to anybody who looks into it. */
export function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const { message, stack = '', cause } = error;
  return [message, stack, JSON.stringify(error), cause === undefined ? '' : everythingIn(cause)].join('\n');
}
