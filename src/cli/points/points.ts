import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { PointListing, RepositoryReader } from '../../repository/api.ts';
import type { Context } from '../context.ts';
import { withReader } from '../repository.ts';
import { formatAge, formatBytes, formatCount, formatTable } from '../text.ts';
import type { VaultOptions } from '../command.ts';

export interface PointsOptions extends VaultOptions {
  readonly site?: string;
}

/** `lifeboat points`: what is in the vaults. Exit 4 when a point is not intact. */
export async function points(context: Context, options: PointsOptions): Promise<number> {
  return withReader(context, options, async (reader) => {
    const found = await reader.listPoints({ ...(options.site !== undefined && { site: options.site }), signal: context.signal });
    if (found.length === 0 && options.site !== undefined) await refuseUnknownSite(reader, options.site, context);
    const ok = found.every((point) => point.problem === undefined);
    await context.output.result({ ok, points: found }, () => (found.length === 0 ? 'no recovery points yet' : pointTable(found)));
    return ok ? EXIT.ok : EXIT.findings;
  });
}

/** A site without points, where others have some, is more likely mistyped than new. */
async function refuseUnknownSite(reader: RepositoryReader, site: string, { signal }: Context): Promise<void> {
  const sites = [...new Set((await reader.listPoints({ signal })).map((point) => point.site))];
  if (sites.length === 0) return;
  throw new LifeboatError('LB_POINT_NOT_FOUND', `There is no recovery point of site "${site}"`, { hint: `There are points of ${sites.toSorted().join(', ')}.` });
}

function pointTable(found: readonly PointListing[]): string {
  const rows = found.map((point) => {
    const header = point.header;
    if (header === undefined) return [point.id, '', point.site, '', '', point.problem ?? 'unreadable', point.vaults.join(', ')];
    return [
      point.id,
      formatAge(Date.now() - Date.parse(header.at)),
      point.site,
      formatCount(header.stats.recordsTotal),
      formatBytes(header.stats.storedBytes),
      point.problem ?? (header.complete ? 'yes' : 'partly'),
      point.vaults.join(', '),
    ];
  });
  return formatTable(
    [
      { title: 'point' },
      { title: 'age', right: true },
      { title: 'site' },
      { title: 'objects', right: true },
      { title: 'added', right: true },
      { title: 'complete' },
      { title: 'vaults' },
    ],
    rows,
  );
}
