import type { Config } from '../../config/load.ts';
import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { PointListing, RepositoryReader } from '../../repository/api.ts';
import { disputeText } from '../../repository/index.ts';
import { copiesOf } from '../../placement/copies.ts';
import type { Context } from '../context.ts';
import { withReader } from '../../access/repository.ts';
import { formatAge, formatBytes, formatCount, formatTable, plural } from '../text.ts';
import type { VaultOptions } from '../../access/options.ts';
import { removedPoints } from './removed.ts';
import { verifiedText, verifiedTimes } from './verified.ts';

export interface PointsOptions extends VaultOptions {
  readonly site?: string;
  readonly removed?: boolean;
}

/** A point, and whether it is safe, where a plan for its site says what that takes. */
interface Listed extends PointListing {
  readonly safe?: boolean;
}

/** `lifeboat points`: what is in the vaults, and how it is in each. Exit 4 when a point is not intact somewhere. */
export async function points(context: Context, options: PointsOptions): Promise<number> {
  return withReader(context, options, async (reader, vaults) => {
    if (options.removed === true) return removedPoints(context, reader, options.site);
    const filter = { ...(options.site !== undefined && { site: options.site }), copies: true, signal: context.signal };
    const found = withSafety(await reader.listPoints(filter), options.vault === undefined ? await context.configIfAny() : undefined);
    if (found.length === 0 && options.site !== undefined) await refuseUnknownSite(reader, options.site, context);
    const ok = found.every((point) => point.problem === undefined && point.disputed === undefined && point.copies?.every(({ state, shadowed }) => state === 'complete' && shadowed === undefined) !== false);
    for (const { site, id, disputed } of found) {
      if (disputed !== undefined) context.output.warn({ kind: 'point-disputed', message: disputeText(disputed), where: `points/${site}/${id}` });
    }
    const verified = found.length === 0 ? [] : await verifiedTimes(vaults, context);
    await context.output.result({ ok, points: found, verified }, () =>
      found.length === 0 ? 'no recovery points yet' : [pointTable(found), '', ...verified.map((vault) => verifiedText(vault, Date.now()))].join('\n'),
    );
    return ok ? EXIT.ok : EXIT.findings;
  });
}

/** Safe is what is complete in as many vaults of one of the site's plans as the plan says, and is not disputed. */
function withSafety(found: readonly PointListing[], config: Config | undefined): readonly Listed[] {
  const plans = [...(config?.plans.values() ?? [])];
  return found.map((point) => {
    const ofSite = plans.filter(({ site }) => site === point.site);
    if (ofSite.length === 0) return point;
    const whole = new Set(point.copies?.flatMap(({ vault, state }) => (state === 'complete' ? [vault] : [])));
    return { ...point, safe: point.disputed === undefined && ofSite.some((plan) => plan.vaults.filter((vault) => whole.has(vault)).length >= copiesOf(plan)) };
  });
}

/** A site without points, where others have some, is more likely mistyped than new. */
async function refuseUnknownSite(reader: RepositoryReader, site: string, { signal }: Context): Promise<void> {
  const sites = [...new Set((await reader.listPoints({ signal })).map((point) => point.site))];
  if (sites.length === 0) return;
  throw new LifeboatError('LB_POINT_NOT_FOUND', `There is no recovery point of site "${site}"`, { hint: `There are points of ${sites.toSorted().join(', ')}.` });
}

function pointTable(found: readonly Listed[]): string {
  const rows = found.map((point) => {
    const header = point.header;
    const safe = point.safe === undefined ? '' : point.safe ? 'yes' : 'no';
    if (header === undefined) return [point.id, '', point.site, '', '', point.problem ?? 'unreadable', safe, copiesText(point, Date.now())];
    return [
      point.id,
      formatAge(Date.now() - Date.parse(header.at)),
      point.site,
      formatCount(header.stats.recordsTotal),
      formatBytes(header.stats.storedBytes),
      point.problem ?? (header.complete ? 'yes' : 'partly'),
      safe,
      copiesText(point, Date.now()),
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
      { title: 'safe' },
      { title: 'vaults' },
    ],
    rows,
  );
}

function copiesText({ copies = [], disputed }: Listed, now: number): string {
  const where = copies
    .map(({ vault, state, missing = 0, lockedUntil, shadowed = 0 }) => {
      const about = [
        ...(state === 'partial' ? [`partial: lacks ${plural(missing, 'pack')}`] : []),
        ...(state === 'damaged' ? ['damaged'] : []),
        ...(shadowed > 0 ? [`${plural(shadowed, 'object')} shadowed`] : []),
        ...(lockedUntil === undefined ? [] : [`locked for ${formatAge(Date.parse(lockedUntil) - now)}`]),
      ];
      return about.length === 0 ? vault : `${vault} (${about.join('; ')})`;
    })
    .join(', ');
  return disputed === undefined ? where : `${where}; disputed`;
}
