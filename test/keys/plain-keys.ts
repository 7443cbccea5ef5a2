import { Secret } from '../../src/keys/index.ts';

/** Everything in keys, secrets too, as text: to be compared. */
export function plainKeys(keys: object | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(keys ?? {}).map(([name, value]: [string, unknown]) => {
      const bytes = value instanceof Secret ? value.expose() : value;
      return [name, bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : String(bytes)];
    }),
  );
}
