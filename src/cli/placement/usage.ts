import type { Usage } from '../../placement/cost/cost.ts';
import type { PointHeader } from '../../repository/api.ts';
import { formatBytes, formatCount, plural } from '../text.ts';
import type { Seen } from './look.ts';

/** What a day adds: a share of what is stored, or bytes. */
export type Change = { readonly share: number } | { readonly bytes: number };

export interface PlacementOptions {
  readonly stored?: number;
  readonly change?: Change;
  readonly backups?: number;
}

/** What a plan stores, and where each figure is from; or why that is not known. */
export type UsageFound = { readonly usage: Usage; readonly from: readonly string[] } | { readonly unknown: string };

const DAY = 86_400_000;
/** Where nothing is measured or said. Shown as assumed. */
const ASSUMED_SHARE = 0.02;
const ASSUMED_BACKUPS = 24;
/** How far back growth is measured, ms, and the least that says something. */
const LONGEST = 30 * DAY;
const SHORTEST = DAY / 4;

/** What the plan stores: as the options say, else as the points in its vaults show. */
export function usageOf(seen: Pick<Seen, 'points'>, options: PlacementOptions): UsageFound {
  if (options.stored !== undefined) {
    const { usage, from } = rates(options.stored, options, undefined);
    return { usage: { stored: options.stored, points: 0, ...usage }, from: [`${formatBytes(options.stored)} in each vault (--stored)`, ...from] };
  }
  if ('unknown' in seen.points) return seen.points;
  const { points } = seen;
  if (points.length === 0) return { unknown: 'there is no recovery point yet' };
  const stored = points.reduce((sum, { stats }) => sum + stats.storedBytes, 0);
  const { usage, from } = rates(stored, options, points);
  return { usage: { stored, points: points.length, ...usage }, from: [`${formatBytes(stored)} in each vault: what the ${plural(points.length, 'point')} of the site added`, ...from] };
}

interface Rates {
  readonly usage: Pick<Usage, 'addedPerDay' | 'backupsPerDay'>;
  readonly from: readonly string[];
}

function rates(stored: number, { change, backups }: PlacementOptions, points: readonly PointHeader[] | undefined): Rates {
  const measured = points && measuredRates(points);
  const days = measured === undefined ? '' : `over the last ${Math.max(1, Math.round(measured.days))} d`;
  const [addedPerDay, added] =
    change !== undefined
      ? [('share' in change ? stored * change.share : change.bytes), '--change']
      : measured !== undefined
        ? [measured.addedPerDay, `measured ${days}`]
        : [stored * ASSUMED_SHARE, `assumed: ${ASSUMED_SHARE * 100}% of what is stored; say it with --change`];
  const [backupsPerDay, made] =
    backups !== undefined
      ? [backups, '--backups']
      : measured !== undefined
        ? [measured.backupsPerDay, `measured ${days}`]
        : [ASSUMED_BACKUPS, 'assumed; say it with --backups'];
  return {
    usage: { addedPerDay, backupsPerDay },
    from: [`${formatBytes(addedPerDay)} more each day (${added}), ${backupsPerDay < 10 ? Number(backupsPerDay.toPrecision(2)) : formatCount(backupsPerDay)} backups a day (${made})`],
  };
}

/** What later points of the last weeks added, by day: the first holds everything and says nothing of change. */
function measuredRates(points: readonly PointHeader[]): { readonly addedPerDay: number; readonly backupsPerDay: number; readonly days: number } | undefined {
  const newest = Date.parse(points.at(-1)?.committedAt ?? '');
  const recent = points.filter(({ committedAt }) => newest - Date.parse(committedAt) <= LONGEST);
  const [first, ...later] = recent;
  const span = newest - Date.parse(first?.committedAt ?? '');
  if (later.length === 0 || !(span >= SHORTEST)) return undefined;
  const days = span / DAY;
  return { addedPerDay: later.reduce((sum, { stats }) => sum + stats.storedBytes, 0) / days, backupsPerDay: later.length / days, days };
}
