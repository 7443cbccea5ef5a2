import { formatDuration } from '../../core/duration.ts';
import type { Message } from '../../telemetry/messages/message.ts';
import type { Told } from '../../telemetry/messages/told.ts';
import type { ScheduleState } from '../plan-schedules.ts';
import type { PlanState, PlanStates } from '../plan-state.ts';
import type { Teller } from './messages.ts';

/** Something that may be wrong with a plan for a while. */
interface Condition {
  /** The same while it lasts. */
  readonly name: string;
  /** Undefined: it is well. */
  readonly message: Message | undefined;
}

/** A plan that never had a point is given so long from the start, ms: it may just have been written. */
const FIRST_POINT_WITHIN = 10 * 60_000;

/** Tells of missed objectives and schedules, each once while it lasts. `startedAt`: when it was first looked, ms since 1970. */
export async function tellConditions(states: PlanStates, teller: Teller, told: Told, startedAt: number): Promise<void> {
  const early = Date.parse(states.at) - startedAt < FIRST_POINT_WITHIN;
  const plans = states.plans.filter((plan) => !early || plan.safe !== undefined || plan.vaults.some(({ point }) => point !== undefined));
  for (const { name, message } of plans.flatMap(conditionsOf)) {
    if (message === undefined) await told.ends(name);
    else if (await told.begins(name)) teller.tell(message);
  }
}

function conditionsOf(state: PlanState): Condition[] {
  const found: Condition[] = [];
  for (const objective of ['rpo', 'rto'] as const) {
    const { met } = state[objective];
    if (met !== undefined) found.push({ name: `objective-missed.${objective}.${state.plan}`, message: met ? undefined : objectiveMissed(state, objective) });
  }
  for (const schedule of state.schedules) {
    if (schedule.met !== undefined) found.push({ name: `schedule-missed.${schedule.kind}.${state.plan}`, message: schedule.met ? undefined : scheduleMissed(state, schedule) });
  }
  return found;
}

function objectiveMissed({ plan, site, safe, drill, rpo, rto }: PlanState, objective: 'rpo' | 'rto'): Message {
  const { objectiveSeconds = 0, seconds } = objective === 'rpo' ? rpo : rto;
  const is = seconds === undefined ? undefined : formatDuration(seconds * 1000);
  const wanted = formatDuration(objectiveSeconds * 1000);
  const text =
    objective === 'rpo'
      ? `plan "${plan}" ${is === undefined ? 'has no safe point' : `has no safe point newer than ${is}`}, and promises one of the last ${wanted}`
      : `plan "${plan}" ${is === undefined ? 'could not be restored in its last drill' : `took ${is} to restore in its last drill`}, and promises ${wanted}`;
  const since = (objective === 'rpo' ? safe?.id : drill?.at) ?? 'never';
  return { event: 'objective-missed', id: `objective-missed.${objective}.${plan}.${since}`, ok: false, text, plan, site, details: { objective, objectiveSeconds, seconds, point: safe?.id, pointAt: safe?.at } };
}

function scheduleMissed({ plan, site, safe }: PlanState, { kind, slot = '', next }: ScheduleState): Message {
  const text = `${kind} of plan "${plan}" was due at ${slot}, and did not happen`;
  return { event: 'schedule-missed', id: `schedule-missed.${kind}.${plan}.${slot}`, ok: false, text, plan, site, details: { kind, slot, next, point: safe?.id, pointAt: safe?.at } };
}
