import { LifeboatError } from '../core/errors.ts';
import type { PointListing, RemovedListing, RepositoryReader } from '../repository/api.ts';
import type { DatedPoint } from './measures/rpo.ts';

/** Which point a drill restores: by chance among the safe ones, so that old ones are tried too, or one that is named. */
export type PointChoice = 'newest' | 'random' | { readonly id: string };

/** The points of one site, and which of them are safe: whole in as many vaults as it takes. */
export interface SitePoints {
  readonly live: readonly PointListing[];
  /** Oldest first. */
  readonly safe: readonly PointListing[];
  readonly removed: readonly RemovedListing[];
}

/** Looks at every copy of every point of a site. Throws what listing the vaults throws. */
export async function readSitePoints(reader: RepositoryReader, site: string, vaults: readonly string[], copies: number, signal?: AbortSignal): Promise<SitePoints> {
  const filter = { site, ...(signal !== undefined && { signal }) };
  const live = await reader.listPoints({ ...filter, copies: true });
  const removed = await reader.listRemoved(filter);
  return { live, removed, safe: live.filter((point) => point.header !== undefined && wholeIn(point, vaults).length >= copies) };
}

/** The vaults of a plan in which a point is whole. */
export function wholeIn(point: PointListing, vaults: readonly string[]): readonly string[] {
  return (point.copies ?? []).filter(({ vault, state }) => state === 'complete' && vaults.includes(vault)).map(({ vault }) => vault);
}

/** Chooses a point. Throws `LB_DRILL_NO_POINT`, and `LB_POINT_NOT_FOUND` for a name that is none or the beginning of several. */
export function choosePoint({ live, safe }: SitePoints, choice: PointChoice, site: string, random: () => number = Math.random): PointListing {
  if (typeof choice === 'object') {
    const matching = live.filter(({ id }) => id.startsWith(choice.id));
    const [only, ...more] = matching;
    if (only === undefined || more.length > 0) {
      const message = only === undefined ? `There is no recovery point "${choice.id}" of site ${site}` : `"${choice.id}" is the beginning of ${matching.length} points`;
      throw new LifeboatError('LB_POINT_NOT_FOUND', message, { hint: 'Run `lifeboat points` to see those there are.' });
    }
    if (only.header === undefined) throw new LifeboatError('LB_REPO_DAMAGED', `Point ${only.id} cannot be read: ${only.problem ?? 'no vault has it intact'}`);
    return only;
  }
  const chosen = choice === 'newest' ? safe.at(-1) : safe[Math.floor(random() * safe.length)];
  if (chosen !== undefined) return chosen;
  const there = live.length === 0 ? 'there is no point at all' : `of ${live.length} points none is whole in enough vaults`;
  throw new LifeboatError('LB_DRILL_NO_POINT', `Site ${site} has no safe recovery point: ${there}`, {
    hint: '`lifeboat points` shows how each copy is; `lifeboat replicate` and `lifeboat verify --heal` bring vaults level.',
  });
}

/**
 * All points that were safe at some time, as far as the vaults still know them: of those that were removed the tombstone has the id, which
 * says when the point was committed; of those that others name as the one before, and nobody has any more, too. What such a point
 * showed was at most as long before its commit as with the others.
 */
export function datedPoints({ live, safe, removed }: SitePoints): readonly DatedPoint[] {
  const dated: DatedPoint[] = [];
  let longest = 0;
  for (const { header } of safe) {
    if (header === undefined) continue;
    const point = { at: Date.parse(header.at), committedAt: Date.parse(header.committedAt) };
    longest = Math.max(longest, point.committedAt - point.at);
    dated.push(point);
  }
  const known = new Set([...live, ...removed].map(({ id }) => id));
  const gone = new Map<string, number | undefined>(removed.map(({ id, removedAt }) => [id, Date.parse(removedAt)]));
  for (const { header } of live) for (const { id } of header?.previous ?? []) if (!known.has(id)) gone.set(id, undefined);
  for (const [id, removedAt] of gone) {
    const committedAt = timeOf(id);
    if (committedAt !== undefined) dated.push({ at: committedAt - longest, committedAt, removedAt, estimated: true });
  }
  return dated.toSorted((a, b) => a.committedAt - b.committedAt);
}

/** When a point was committed, by its id: the seconds, and three hex digits of milliseconds. docs/format.md, "Layout". */
function timeOf(id: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-([0-9a-f]{3})/.exec(id);
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) + Number.parseInt(match[7] ?? '0', 16);
}
