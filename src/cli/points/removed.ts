import { EXIT } from '../../core/error-codes.ts';
import type { RemovedListing, RepositoryReader } from '../../repository/api.ts';
import type { Context } from '../context.ts';
import { formatAge, formatTable } from '../text.ts';

/** `lifeboat points --removed`: what was taken away on purpose, and what of it is still there. */
export async function removedPoints(context: Context, reader: RepositoryReader, site: string | undefined): Promise<number> {
  const removed = await reader.listRemoved({ ...(site !== undefined && { site }), signal: context.signal });
  await context.output.result({ ok: true, removed }, () => (removed.length === 0 ? 'no point was removed' : removedTable(removed, Date.now())));
  return EXIT.ok;
}

function removedTable(removed: readonly RemovedListing[], now: number): string {
  return formatTable(
    [{ title: 'removed point' }, { title: 'site' }, { title: 'removed', right: true }, { title: 'why' }, { title: 'still held by' }],
    removed.map(({ id, site, removedAt, reason, holding }) => [id, site, `${formatAge(now - Date.parse(removedAt))} ago`, reason, holding.length === 0 ? 'none: swept' : holding.join(', ')]),
  );
}
