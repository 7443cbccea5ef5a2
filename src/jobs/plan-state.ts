import { answering } from '../access/answering.ts';
import type { Surroundings } from '../access/surroundings.ts';
import { closeVaults, openVaults } from '../access/vaults.ts';
import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { parseDuration } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { copiesOf } from '../placement/copies.ts';
import type { PointHeader } from '../repository/api.ts';
import type { KnownHeads, NewestPoints, VerifiedTimes } from '../repository/index.ts';
import type { Vault } from '../vault/vault.ts';
import { schedulesOf } from './plan-schedules.ts';
import type { ScheduleState } from './plan-schedules.ts';

/** A point, as far as plans are measured by it. */
export interface StatePoint {
  readonly id: string;
  /** The moment that it shows: ISO 8601, UTC. */
  readonly at: string;
  /** How long ago that was when it was looked. */
  readonly ageSeconds: number;
}

/** Something that is promised, and how it is. `met` is absent where that cannot be said. */
export interface ObjectiveState {
  readonly objectiveSeconds?: number;
  readonly seconds?: number;
  readonly met?: boolean;
}

/** What the last drill of a plan came to. */
export interface LastDrill {
  /** When it ended: ISO 8601, UTC. */
  readonly at: string;
  readonly ok: boolean;
  /** How long the restore took; absent when it did not get there. */
  readonly rtoSeconds?: number;
}

/** How a plan stands, by what its vaults hold. */
export interface PlanState {
  readonly plan: string;
  readonly site: string;
  /** The newest point that is safe: in as many of the vaults as the plan says. */
  readonly safe?: StatePoint & { readonly vaults: readonly string[] };
  readonly copies: number;
  /** The newest point in each vault of the plan. */
  readonly vaults: readonly { readonly vault: string; readonly point?: StatePoint }[];
  readonly rpo: ObjectiveState;
  readonly rto: ObjectiveState;
  readonly schedules: readonly ScheduleState[];
  readonly drill?: LastDrill;
  /** No schedule was missed, the newest safe point is as new as is promised, and all of it could be looked at. */
  readonly onTime: boolean;
  /** Why its points could not be looked at. */
  readonly problem?: string;
}

/** How a vault stands. */
export interface VaultState {
  readonly vault: string;
  readonly reachable: boolean;
  /** When data of it were last read by a verification; when all of it was; what the last one found. */
  readonly verified?: { readonly last?: string; readonly full?: string; readonly findings?: number };
}

/** How all plans stand. */
export interface PlanStates {
  /** When it was looked: ISO 8601, UTC. */
  readonly at: string;
  readonly plans: readonly PlanState[];
  readonly vaults: readonly VaultState[];
}

/** What is known from looking before, and need not be looked at again. */
export interface StateMemory {
  readonly heads: KnownHeads;
  readonly verified: Map<string, { readonly readAt: number; readonly times: VerifiedTimes }>;
  /** Of a plan that was looked for and has none, undefined. */
  readonly drills: Map<string, LastDrill | undefined>;
  drillsReadAt?: number;
  before?: PlanStates;
}

export interface ReadStateOptions {
  readonly now?: number;
  readonly memory?: StateMemory;
  /** Finds the last drills in the vaults: of these plans by all means, and of any other that it comes by. */
  readonly lastDrills?: (plans: readonly string[], vaults: readonly Vault[]) => Promise<ReadonlyMap<string, LastDrill>>;
}

/** Verifications and drills are looked for anew after so long, ms: their reports are large, and do not come every minute. */
const REPORTS_EVERY = 10 * 60_000;

export function emptyMemory(): StateMemory {
  return { heads: new Map(), verified: new Map(), drills: new Map() };
}

/**
 * How the plans of lifeboat.yaml stand, by what their vaults hold; needs no key. A vault that is away is passed over with a warning; then
 * what was seen in it before (`memory`) still counts. Throws `LB_CONFIG_*`; what is wrong with single plans is in their `problem`.
 */
export async function readPlanStates(surroundings: Surroundings, options: ReadStateOptions = {}): Promise<PlanStates> {
  const { now = Date.now(), memory = emptyMemory() } = options;
  const config = await surroundings.config();
  const configs = [...config.vaults.values()].filter(({ name }) => [...config.plans.values()].some(({ vaults }) => vaults.includes(name)));
  const opened = await openVaults(surroundings, configs).catch((error: unknown) => {
    tell(surroundings.warn, error);
    return [];
  });
  try {
    const there = opened.length === 0 ? [] : await answering(surroundings, opened);
    const reader: Reader = { surroundings, config, vaults: there, memory, now, options };
    const points = await pointsOf(reader);
    const verified = await verifiedOf(reader);
    const vaults = configs.map(({ name }): VaultState => {
      const times = verified.get(name);
      return { vault: name, reachable: !('problem' in points) && there.some((vault) => vault.name === name), ...(times !== undefined && { verified: shownTimes(times) }) };
    });
    const drills = await drillsOf(reader);
    const plans = [...config.plans].map(([name, plan], i) => stateOf(reader, { name, plan, points: 'problem' in points ? points : points.found[i], verified, drill: drills.get(name) }));
    const states = { at: new Date(now).toISOString(), plans, vaults };
    memory.before = states;
    return states;
  } finally {
    await closeVaults(opened);
  }
}

interface Reader {
  readonly surroundings: Surroundings;
  readonly config: Config;
  readonly vaults: readonly Vault[];
  readonly memory: StateMemory;
  readonly now: number;
  readonly options: ReadStateOptions;
}

interface Seen {
  readonly name: string;
  readonly plan: PlanConfig;
  readonly points: NewestPoints | { readonly problem: string } | undefined;
  readonly verified: ReadonlyMap<string, VerifiedTimes>;
  readonly drill: LastDrill | undefined;
}

async function pointsOf({ surroundings, config, vaults, memory }: Reader): Promise<{ readonly found: readonly NewestPoints[] } | { readonly problem: string }> {
  if (vaults.length === 0) return { problem: 'No vault could be opened' };
  const wanted = [...config.plans.values()].map((plan) => ({ site: plan.site, vaults: plan.vaults, copies: copiesOf(plan) }));
  try {
    const { newestPoints } = await import('../repository/index.ts');
    return { found: await newestPoints(vaults, wanted, memory.heads, { signal: surroundings.signal, onWarning: surroundings.warn }) };
  } catch (error) {
    surroundings.signal.throwIfAborted();
    return { problem: messageOf(error) };
  }
}

/** When each vault was last verified; of one that cannot say it, what it said before. */
async function verifiedOf({ surroundings, vaults, memory, now }: Reader): Promise<ReadonlyMap<string, VerifiedTimes>> {
  const { lastVerified } = await import('../repository/index.ts');
  await Promise.all(
    vaults.map(async (vault) => {
      const before = memory.verified.get(vault.name);
      if (before !== undefined && now - before.readAt < REPORTS_EVERY) return;
      try {
        memory.verified.set(vault.name, { readAt: now, times: await lastVerified(vault, undefined, { signal: surroundings.signal }) });
      } catch (error) {
        surroundings.signal.throwIfAborted();
        tell(surroundings.warn, error, `vault "${vault.name}"`);
      }
    }),
  );
  return new Map([...memory.verified].map(([name, { times }]) => [name, times]));
}

/** The last drill of each plan that has any; of what cannot be read, what was known before. */
async function drillsOf({ surroundings, config, vaults, memory, now, options }: Reader): Promise<StateMemory['drills']> {
  const { drills, drillsReadAt = Number.NEGATIVE_INFINITY } = memory;
  const planned = [...config.plans].flatMap(([name, { drill }]) => (drill === undefined ? [] : [name]));
  if (options.lastDrills === undefined || planned.length === 0 || vaults.length === 0 || now - drillsReadAt < REPORTS_EVERY) return drills;
  try {
    const found = await options.lastDrills(planned.filter((name) => !drills.has(name)), vaults);
    for (const name of planned) drills.set(name, found.get(name) ?? drills.get(name));
    memory.drillsReadAt = now;
  } catch (error) {
    surroundings.signal.throwIfAborted();
    tell(surroundings.warn, error);
  }
  return drills;
}

function stateOf(reader: Reader, { name, plan, points, verified, drill }: Seen): PlanState {
  const { config, now, memory, vaults } = reader;
  const before = memory.before?.plans.find((one) => one.plan === name);
  const found = points !== undefined && 'inVaults' in points ? points : undefined;
  const away = plan.vaults.filter((vault) => !vaults.some((one) => one.name === vault));
  const copies = copiesOf(plan);
  const safe = newer(found?.safe === undefined ? undefined : { ...pointOf(found.safe.header, now), vaults: found.safe.vaults }, away.length > 0 || found === undefined ? before?.safe : undefined, now);
  const newest = [...(found?.inVaults.values() ?? [])].reduce<string | undefined>((latest, { startedAt }) => (latest === undefined || startedAt > latest ? startedAt : latest), undefined);
  const looked = found !== undefined && plan.vaults.length - away.length >= copies;
  const rpoObjective = objectiveOf(plan.objectives?.rpo);
  const rtoObjective = objectiveOf(plan.objectives?.rto);
  const rpo: ObjectiveState = {
    ...(rpoObjective !== undefined && { objectiveSeconds: rpoObjective }),
    ...(safe !== undefined && { seconds: safe.ageSeconds }),
    ...(rpoObjective !== undefined && (safe !== undefined || looked) && { met: safe !== undefined && safe.ageSeconds <= rpoObjective }),
  };
  const rto: ObjectiveState = {
    ...(rtoObjective !== undefined && { objectiveSeconds: rtoObjective }),
    ...(drill?.rtoSeconds !== undefined && { seconds: drill.rtoSeconds }),
    ...(rtoObjective !== undefined && drill !== undefined && { met: drill.rtoSeconds !== undefined && drill.rtoSeconds <= rtoObjective }),
  };
  const schedules = schedulesOf(name, plan, now, {
    // Of the vaults that are there: what one that is away holds is not known.
    backup: found === undefined ? undefined : (newest ?? ''),
    verify: config.readKey === undefined || away.length > 0 ? undefined : oldest(plan.vaults.map((vault) => verified.get(vault)?.last ?? '')),
    drill: memory.drills.has(name) ? (drill?.at ?? '') : undefined,
  });
  const problem = points !== undefined && 'problem' in points ? points.problem : looked ? undefined : `Too few of its vaults can be looked at: ${away.join(', ')} cannot`;
  return {
    plan: name,
    site: plan.site,
    copies,
    ...(safe !== undefined && { safe }),
    vaults: plan.vaults.map((vault) => vaultPoint(vault, found?.inVaults.get(vault), before, now)),
    rpo,
    rto,
    schedules,
    ...(drill !== undefined && { drill }),
    onTime: problem === undefined && rpo.met !== false && schedules.every(({ met }) => met !== false),
    ...(problem !== undefined && { problem }),
  };
}

/** What was seen in a vault before is still there, as far as is known, when it is away. */
function vaultPoint(vault: string, header: PointHeader | undefined, before: PlanState | undefined, now: number): PlanState['vaults'][number] {
  const known = before?.vaults.find((one) => one.vault === vault)?.point;
  const point = newer(header === undefined ? undefined : pointOf(header, now), header === undefined ? known : undefined, now);
  return { vault, ...(point !== undefined && { point }) };
}

function newer<P extends StatePoint>(now: P | undefined, before: P | undefined, time: number): P | undefined {
  if (before === undefined || (now !== undefined && now.id >= before.id)) return now;
  return { ...before, ageSeconds: ageOf(before.at, time) };
}

function pointOf({ id, at }: PointHeader, now: number): StatePoint {
  return { id, at, ageSeconds: ageOf(at, now) };
}

function ageOf(at: string, now: number): number {
  return Math.max(0, (now - Date.parse(at)) / 1000);
}

function objectiveOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms === undefined ? undefined : ms / 1000;
}

function oldest(times: readonly string[]): string | undefined {
  return times.reduce<string | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
}

function shownTimes({ last, full, lastRun }: VerifiedTimes): NonNullable<VaultState['verified']> {
  return { ...(last !== undefined && { last }), ...(full !== undefined && { full }), ...(lastRun !== undefined && { findings: lastRun.findings }) };
}

function tell(warn: OnWarning, error: unknown, where?: string): void {
  warn({ kind: 'state-unknown', message: messageOf(error), ...(where !== undefined && { where }) });
}
