import { LifeboatError } from '../core/errors.ts';

/** Reads `a=b` pairs, each saying that namespace `a` becomes `b`. Throws `LB_USAGE`. */
export function parseNamespaceMap(pairs: readonly string[]): Record<string, string> {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [from = '', to = '', ...rest] = pair.split('=');
    if (from === '' || to === '' || rest.length > 0) {
      throw new LifeboatError('LB_USAGE', `\`${pair}\` does not say which namespace becomes which`, { hint: 'Write --map-namespace OLD=NEW.' });
    }
    if (map.has(from)) throw new LifeboatError('LB_USAGE', `Namespace ${from} is mapped twice`, { hint: 'Give each namespace one new name.' });
    map.set(from, to);
  }
  return Object.fromEntries(map);
}
