import type { Config } from '../../src/config/load.ts';
import { slotAfter } from '../../src/core/schedule.ts';
import type { Schedule } from '../../src/core/schedule.ts';
import { ALL_PLANS, NAMESPACE, TICKS } from '../../src/functions/adapters/metric.ts';
import { rungSchedule, SCHEDULED_KINDS, schedulesOf } from '../../src/functions/handlers/scheduled.ts';
import type { CfnValue } from './policies.ts';

/** A resource of CloudFormation. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

export type Resources = Record<string, Resource>;

const HOUR = 3600;
const DAY = 24 * HOUR;
/** CloudWatch looks back no further than a week. */
const MOST_DAYS = 7;
const ALARMS = { Ref: 'Alarms' };

interface Watched {
  readonly about: string;
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, CfnValue>>;
  readonly period: number;
  readonly periods?: number;
  /** `missing`: rings when nothing is counted; `any`: rings when anything is. */
  readonly when: 'missing' | 'any';
  readonly statistic?: 'Sum' | 'Maximum';
}

function alarm({ about, namespace, metric, dimensions, period, periods = 1, when, statistic = 'Sum' }: Watched): Resource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmDescription: about,
      Namespace: namespace,
      MetricName: metric,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
      Statistic: statistic,
      Period: period,
      EvaluationPeriods: periods,
      Threshold: 1,
      ComparisonOperator: when === 'any' ? 'GreaterThanOrEqualToThreshold' : 'LessThanThreshold',
      TreatMissingData: when === 'any' ? 'notBreaching' : 'breaching',
      AlarmActions: [ALARMS],
      OKActions: [ALARMS],
    },
  };
}

/** Rings when a function fails or is throttled, when events were given up, when nothing works, and when a schedule did not ring. */
export function alarms(config: Config, functions: readonly string[], nameOf: (name: string) => string, now: number): Resources {
  const all: Resources = {};
  for (const name of functions) {
    const dimensions = { FunctionName: nameOf(name) };
    const common = { namespace: 'AWS/Lambda', dimensions, period: 300, when: 'any' } as const;
    all[`${pascal(name)}Errors`] = alarm({ ...common, about: `lifeboat: the function ${name} fails`, metric: 'Errors' });
    // Of `work`, no more than so many are wanted at once.
    if (name !== 'work') all[`${pascal(name)}Throttles`] = alarm({ ...common, about: `lifeboat: the function ${name} is throttled`, metric: 'Throttles' });
  }
  const dimensions = { FunctionName: nameOf('work') };
  const about = 'lifeboat: nothing works on the queue';
  all['WorkMissing'] = alarm({ about, namespace: 'AWS/Lambda', metric: 'Invocations', dimensions, period: 900, when: 'missing' });
  all['DeadLettersWaiting'] = alarm({
    about: 'lifeboat: events were given up',
    namespace: 'AWS/SQS',
    metric: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: { 'Fn::GetAtt': ['DeadLetters', 'QueueName'] } },
    period: 300,
    when: 'any',
    statistic: 'Maximum',
  });
  for (const kind of SCHEDULED_KINDS) {
    for (const [plan, schedule] of schedulesOf(config, kind)) {
      const window = silence(rungSchedule(schedule), now);
      if (window === undefined) continue;
      const about = `lifeboat: no ${kind}${plan === undefined ? '' : ` of the plan ${plan}`} was due for too long: its schedule does not ring`;
      const ticks = { namespace: NAMESPACE, metric: TICKS, dimensions: { function: kind, plan: plan ?? ALL_PLANS } };
      all[`${pascal(kind)}${plan === undefined ? '' : pascal(plan)}Missed`] = alarm({ about, ...ticks, ...window, when: 'missing' });
    }
  }
  return all;
}

/** How many slots are looked at for the longest time between two. */
const SLOTS = 500;

/** How long a schedule may be silent: the longest time between two of its slots, half of it again, and 5 minutes. Undefined when that is longer than alarms look back. */
export function silence(schedule: Schedule, now: number): { readonly period: number; readonly periods: number } | undefined {
  let longest = 0;
  let last = slotAfter(schedule, now);
  for (let seen = 0; last !== undefined && seen < SLOTS; seen += 1) {
    const next = slotAfter(schedule, last);
    if (next === undefined) break;
    longest = Math.max(longest, next - last);
    last = next;
  }
  const seconds = (longest / 1000) * 1.5 + 300;
  if (longest === 0) return undefined;
  if (seconds <= DAY) return { period: Math.ceil(seconds / 60) * 60, periods: 1 };
  const days = Math.ceil(seconds / DAY);
  return days > MOST_DAYS ? undefined : { period: DAY, periods: days };
}

/** `my-plan` as part of a logical id: letters and digits only. Hyphens are kept apart from none, so that no two names meet. */
export function pascal(name: string): string {
  return name
    .split('-')
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('0');
}
