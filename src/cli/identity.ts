/** The text of an age identity file: any age program reads it, and its comments say what it is. */
export function identityText(identity: string, recipient: string): string {
  return [
    `# created: ${new Date().toISOString()}`,
    '# An age identity (https://age-encryption.org). Whoever has this file can open the lifeboat repositories it belongs to.',
    `# public key: ${recipient}`,
    identity,
    '',
  ].join('\n');
}
