import { nearest } from '../../core/suggest.ts';
import { ApiError } from '../problem.ts';

/** Throws `LB_API_REQUEST` unless lifeboat.yaml has this name. */
export function requireName(field: 'plan' | 'target', name: string, known: ReadonlyMap<string, unknown>, status = 422): void {
  if (known.has(name)) return;
  const best = nearest(name, [...known.keys()]);
  const what = field === 'plan' ? 'plan' : 'site';
  throw new ApiError(status, status === 404 ? 'LB_API_NOT_FOUND' : 'LB_API_REQUEST', `There is no ${what} of this name`, {
    where: field,
    hint: best === undefined ? `The ${what}s are in the server’s lifeboat.yaml.` : `Did you mean \`${best}\`?`,
  });
}
