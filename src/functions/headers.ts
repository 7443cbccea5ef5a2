/** Headers as every handler takes them: in lower case, repeated ones joined. */
export function headersOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const joined = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')] as const];
  });
  return Object.fromEntries(joined);
}
