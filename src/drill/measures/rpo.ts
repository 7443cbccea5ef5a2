import type { DrillReport } from '../report.ts';

/** A safe point, as far as its age concerns. Milliseconds since the epoch. */
export interface DatedPoint {
  /** The moment it shows. */
  readonly at: number;
  /** From when on it could be restored. */
  readonly committedAt: number;
  /** Until when; absent: it still can. */
  readonly removedAt?: number | undefined;
  /** `at` is not known, and guessed. */
  readonly estimated?: boolean;
}

/** A stretch of time in which the newest safe point is the same one. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  /** What it shows; absent: there is none. */
  readonly at: number | undefined;
}

/** Corners of the curve at most: more are too many to draw, and those of the highest age are kept. */
const MOST_CORNERS = 2_000;

/**
 * How old the newest safe point was at every moment from `from` to `to`: that is what would have been lost, had the site been lost
 * then. `objective`: how old it may be, ms.
 */
export function measureRpo(points: readonly DatedPoint[], from: number, to: number, objective: number | undefined): DrillReport['rpo'] {
  const stretches = stretchesOf(points, from, to);
  const known = stretches.filter((stretch): stretch is Stretch & { readonly at: number } => stretch.at !== undefined);
  const withoutMs = stretches.reduce((sum, { from: begin, to: end, at }) => sum + (at === undefined ? end - begin : 0), 0);
  const last = stretches.at(-1);
  const nowMs = last?.at === undefined ? undefined : to - last.at;
  const age = known.length === 0 ? undefined : agesOf(known);
  const overMs = objective === undefined ? undefined : timeAbove(known, objective);
  const missed = objective !== undefined && ((overMs ?? 0) > 0 || withoutMs > 0 || last?.at === undefined);
  return {
    from: iso(from),
    to: iso(to),
    ...(objective !== undefined && { objectiveSeconds: objective / 1000 }),
    verdict: objective === undefined ? 'unknown' : missed ? 'missed' : 'met',
    points: points.length,
    estimated: points.filter(({ estimated }) => estimated === true).length,
    ...(nowMs !== undefined && { nowSeconds: nowMs / 1000 }),
    ...(age !== undefined && { age }),
    ...(overMs !== undefined && { overSeconds: overMs / 1000 }),
    withoutSeconds: withoutMs / 1000,
    curve: curveOf(stretches),
  };
}

function stretchesOf(points: readonly DatedPoint[], from: number, to: number): Stretch[] {
  const events = points.flatMap((point) => [{ when: point.committedAt, point, comes: true }, ...(point.removedAt === undefined ? [] : [{ when: point.removedAt, point, comes: false }])]).toSorted((a, b) => a.when - b.when);
  const there = new Set<DatedPoint>();
  const stretches: Stretch[] = [];
  let newest: number | undefined;
  let begin = from;
  const close = (end: number): void => {
    if (end > begin || (end === begin && from === to)) stretches.push({ from: begin, to: end, at: newest });
    begin = Math.max(begin, end);
  };
  for (const { when, point, comes } of events) {
    if (when > to) break;
    if (comes) there.add(point);
    else there.delete(point);
    // Looking at all of them only when the newest goes keeps many points cheap.
    const next = comes ? Math.max(newest ?? Number.NEGATIVE_INFINITY, point.at) : point.at === newest ? newestOf(there) : newest;
    if (next === newest) continue;
    if (when > from) close(when);
    newest = next;
  }
  close(to);
  return stretches;
}

function newestOf(points: ReadonlySet<DatedPoint>): number | undefined {
  let newest: number | undefined;
  for (const { at } of points) if (newest === undefined || at > newest) newest = at;
  return newest;
}

type KnownStretch = Stretch & { readonly at: number };

const oldest = ({ to, at }: KnownStretch): number => Math.max(0, to - at);
const youngest = ({ from, at }: KnownStretch): number => Math.max(0, from - at);

function agesOf(stretches: readonly KnownStretch[]): NonNullable<DrillReport['rpo']['age']> {
  const total = stretches.reduce((sum, { from, to }) => sum + (to - from), 0);
  const max = stretches.reduce((most, stretch) => Math.max(most, oldest(stretch)), 0);
  const area = stretches.reduce((sum, stretch) => sum + ((oldest(stretch) + youngest(stretch)) / 2) * (stretch.to - stretch.from), 0);
  const quantile = (share: number): number => seconds(total === 0 ? max : ageAt(stretches, share * total, max));
  return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99), max: seconds(max), mean: seconds(total === 0 ? max : area / total) };
}

/** The age that was not exceeded for so long, ms: found by halving. */
function ageAt(stretches: readonly KnownStretch[], time: number, max: number): number {
  let low = 0;
  let high = max;
  const total = stretches.reduce((sum, { from, to }) => sum + (to - from), 0);
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (total - timeAbove(stretches, middle) >= time) high = middle;
    else low = middle;
  }
  return high;
}

/** How long the age was above `limit`. */
function timeAbove(stretches: readonly KnownStretch[], limit: number): number {
  return stretches.reduce((sum, { from, to, at }) => sum + Math.max(0, to - Math.max(from, at + limit)), 0);
}

function curveOf(stretches: readonly Stretch[]): DrillReport['rpo']['curve'] {
  const size = Math.max(1, Math.ceil((stretches.length * 2) / MOST_CORNERS));
  const corners: DrillReport['rpo']['curve'] = [];
  for (let first = 0; first < stretches.length; first += size) {
    const group = stretches.slice(first, first + size);
    // Of stretches too many to draw, the one shown is where the age was highest, or where there was no point.
    const shown = group.reduce((worst, stretch) => (worst.at === undefined || (stretch.at !== undefined && oldest(stretch as KnownStretch) <= oldest(worst as KnownStretch)) ? worst : stretch));
    corners.push(...ends(shown));
  }
  return corners;
}

function ends(stretch: Stretch): DrillReport['rpo']['curve'] {
  const { from, to, at } = stretch;
  if (at === undefined) return [{ at: iso(from), ageSeconds: null }];
  return [
    { at: iso(from), ageSeconds: seconds(Math.max(0, from - at)) },
    { at: iso(to), ageSeconds: seconds(Math.max(0, to - at)) },
  ];
}

const seconds = (ms: number): number => Math.round(ms) / 1000;
const iso = (ms: number): string => new Date(ms).toISOString();
