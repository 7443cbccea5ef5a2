import { LEVELS } from '../core/failure-domain.ts';
import type { Level } from '../core/failure-domain.ts';
import { coveredLevels, hitOfAll, possibleLosses } from './loss.ts';
import type { Hit, Loss } from './loss.ts';
import type { Standing, Topology } from './topology.ts';

/** What becomes of several things of a kind, by name. */
export interface Fate {
  readonly kept: readonly string[];
  readonly lost: readonly string[];
  /** Lost for all that is known. They count as lost. */
  readonly doubtful: readonly string[];
}

/** What is left after a loss. */
export interface Outcome {
  readonly losses: readonly Loss[];
  readonly site: Hit;
  /** Undefined when it is not known where the control side runs; then it decides nothing. */
  readonly control: Hit | undefined;
  readonly vaults: Fate;
  readonly openers: Fate;
  /** How many vaults surely still hold any one safe point: the loss takes those that hold it first. */
  readonly copiesLeft: number;
  /** A safe point can still be read. */
  readonly point: boolean;
  /** Something is left that opens it. */
  readonly key: boolean;
  /** The loss does not take site and control side together. */
  readonly controlled: boolean;
  /** All three: what is lost can be restored. */
  readonly survives: boolean;
}

/** What is left when all of these are lost at once, in the worst case of all that is not known. */
export function outcomeOf(topology: Topology, losses: readonly Loss[]): Outcome {
  const vaults = fateOf(topology.vaults, losses);
  const openers = fateOf(topology.openers, losses);
  const site = hitOfAll(losses, topology.site.place);
  const control = topology.control && hitOfAll(losses, topology.control.place);
  const copiesLeft = Math.max(0, topology.copies - vaults.lost.length - vaults.doubtful.length);
  const point = copiesLeft > 0;
  const key = openers.kept.length > 0;
  // A control side that is lost while the site lives is set up anew; nothing needs restoring meanwhile.
  const controlled = control === undefined || control === 'no' || site === 'no';
  return { losses, site, control, vaults, openers, copiesLeft, point, key, controlled, survives: point && key && controlled };
}

function fateOf(things: readonly Standing[], losses: readonly Loss[]): Fate {
  const hits = Map.groupBy(things, ({ place }) => hitOfAll(losses, place));
  const names = (hit: Hit): readonly string[] => (hits.get(hit) ?? []).map(({ name }) => name);
  return { kept: names('no'), lost: names('yes'), doubtful: names('perhaps') };
}

/** Everything of the topology that a loss could take. */
function standingsOf({ site, control, vaults, openers }: Topology): readonly Standing[] {
  return [site, ...(control === undefined ? [] : [control]), ...vaults, ...openers];
}

/** Every single loss of a level, with what it leaves. */
export function outcomesAt(topology: Topology, level: Level): readonly Outcome[] {
  return possibleLosses(level, standingsOf(topology)).map((loss) => outcomeOf(topology, [loss]));
}

/** Whether any one domain of this level, and of those that it covers, may be lost. */
export function outlives(topology: Topology, level: Level): boolean {
  return coveredLevels(level).every((one) => outcomesAt(topology, one).every((outcome) => outcome.survives));
}

/** A plan judged. */
export interface Assessment {
  /** Every single loss of every level, largest first. */
  readonly outcomes: readonly Outcome[];
  /** Those that the promise covers and the plan does not survive. */
  readonly broken: readonly Outcome[];
  /** Undefined when nothing is promised. */
  readonly holds: boolean | undefined;
  /** The most that the plan could promise. */
  readonly strongest: Level | undefined;
}

/** Judges a plan: what it survives, whether it keeps its promise, and what it could promise. */
export function assess(topology: Topology): Assessment {
  const outcomes = LEVELS.toReversed().flatMap((level) => outcomesAt(topology, level));
  const covered = topology.outlives === undefined ? [] : coveredLevels(topology.outlives);
  const broken = outcomes.filter(({ losses, survives }) => !survives && losses.every(({ level }) => covered.includes(level)));
  return {
    outcomes,
    broken,
    holds: topology.outlives === undefined ? undefined : broken.length === 0,
    strongest: LEVELS.findLast((level) => outlives(topology, level)),
  };
}

/** Every two domains of a level whose loss at once the plan does not survive, though it survives each alone. */
export function fatalPairs(topology: Topology, level: Level): readonly Outcome[] {
  const losses = outcomesAt(topology, level).filter(({ survives }) => survives).flatMap((outcome) => outcome.losses);
  return losses
    .flatMap((one, index) => losses.slice(index + 1).map((other) => outcomeOf(topology, [one, other])))
    .filter(({ survives }) => !survives);
}
