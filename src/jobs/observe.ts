import { secretFromEnv } from '../access/secret-source.ts';
import type { Surroundings } from '../access/surroundings.ts';
import type { Config } from '../config/load.ts';
import type { NotifyConfig } from '../config/service-schema.ts';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { Warning } from '../core/progress.ts';
import type { Redactor } from '../core/redact.ts';
import { createLog } from '../telemetry/log/log.ts';
import type { Log } from '../telemetry/log/log.ts';
import { Heartbeat } from '../telemetry/messages/heartbeat.ts';
import { Messenger } from '../telemetry/messages/messenger.ts';
import type { Webhook } from '../telemetry/messages/messenger.ts';
import { ToldHere } from '../telemetry/messages/told.ts';
import type { Told } from '../telemetry/messages/told.ts';
import { Metrics } from '../telemetry/metrics/metrics.ts';
import type { MetricsText } from '../telemetry/metrics/metrics.ts';
import { showPlans } from '../telemetry/metrics/plans.ts';
import { startTracing } from '../telemetry/traces/start.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { JobObserver } from './events.ts';
import type { Job } from './job.ts';
import { aboutOf } from './observe/about.ts';
import { tellConditions } from './observe/conditions.ts';
import { LogObserver } from './observe/log.ts';
import { MessageObserver } from './observe/messages.ts';
import { MetricsObserver } from './observe/metrics.ts';
import { TraceObserver, traced } from './observe/traces.ts';
import type { ReadStateOptions } from './plan-state.ts';
import { gaugesOf, PlanWatch, vaultGaugesOf } from './plan-watch.ts';

export interface TelemetryOptions extends Pick<ReadStateOptions, 'lastDrills'> {
  /** Of nobody's step: its signal ends with the process, and what it warns of is for the log. */
  readonly surroundings: Surroundings;
  readonly redactor: Redactor;
  /** Of lifeboat. */
  readonly version: string;
  readonly log?: Log;
  readonly clock?: Clock;
  /** How many jobs of each state are in the queue. Throws when it is away. */
  readonly counts?: () => Promise<Readonly<Record<string, number>>>;
  /** Remembers what was told, for all processes together. Default: this process by itself. */
  readonly told?: Told;
  /** Where the process makes traces already; closed with the rest. Default: as the environment says. */
  readonly tracing?: Tracing | undefined;
}

/** How a job came to be handed over. */
export interface TracedOptions {
  /** The traceparent of a request or event. Default: what goes on here. */
  readonly parent?: string | undefined;
  /** How long ago that was, ms. */
  readonly waitedMs?: number | undefined;
}

/** All that a process tells of what it does. */
export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly messenger: Messenger;
  /** How the plans stand, read once a minute at most. */
  readonly plans: PlanWatch;
  /** Are to be told what happens to jobs. */
  readonly observers: readonly JobObserver[];
  /** For what steps, and this process, warn of. */
  warned(warning: Warning, job?: Job): void;
  /** Does a step of a job in its span. */
  within<T>(job: Job, body: () => T): T;
  /** The job with its trace, unless it has one: call it for each job that is handed over, and for each that begins, as nobody did for some. */
  traced(job: Job, how?: TracedOptions): Job;
  /** What `/metrics` answers with. */
  metricsText(): Promise<MetricsText>;
  /** Call it when it was looked for what is due: tells of what was missed, and gives the heartbeat when nothing was. Never rejects. */
  ticked(): Promise<void>;
  /** Sends what is left: before a function may be frozen. Never rejects. */
  flush(ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** How long messages may take at the end, ms. */
const LAST_MESSAGES = 5_000;

/**
 * Opens logs, metrics, traces and messages as lifeboat.yaml (`notify`) and the environment have them. Throws `LB_KEY_MISSING` when a variable
 * that `notify` names is not set, `LB_USAGE` when it holds no address, `LB_CONFIG_*`.
 */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { surroundings, redactor, version, clock = systemClock, told = new ToldHere(), counts, lastDrills } = options;
  const { log = createLog({ redactor, env: surroundings.env }) } = options;
  const config = await surroundings.config();
  const metrics = new Metrics();
  metrics.expect({ plans: config.plans.keys(), vaults: config.vaults.keys() });
  metrics.set('lifeboat_build_info', { version, node: process.versions.node }, 1);
  const { tracing = await startTracing({ redactor, log, env: surroundings.env, version }) } = options;
  const { webhooks, heartbeatUrl, every } = addressesOf(config.notify, surroundings);
  const messenger = new Messenger({ webhooks, redactor, log, metrics, clock, version });
  const heartbeat = heartbeatUrl === undefined ? undefined : new Heartbeat({ url: heartbeatUrl, every, redactor, log, metrics, clock });
  const plans = new PlanWatch({ surroundings, clock, ...(lastDrills !== undefined && { lastDrills }) });
  const traces = new TraceObserver(tracing, config, clock);
  const messages = new MessageObserver(messenger, told, config, log);
  const startedAt = clock.now();
  metrics.onCollect(() => collectPlans(metrics, plans, clock));
  if (counts !== undefined) metrics.onCollect(() => collectQueue(metrics, counts));

  return {
    log,
    metrics,
    tracing,
    messenger,
    plans,
    // The span is there when the log has its line.
    observers: [traces, new LogObserver(log, config), new MetricsObserver(metrics, clock), messages],
    warned: (warning, job) => logWarning(log, config, warning, job),
    within: (job, body) => traces.within(job, body),
    traced: (job, { parent, waitedMs } = {}) => traced(job, tracing, { parent, ...(waitedMs !== undefined && { startedAt: clock.now() - Math.max(0, waitedMs) }) }),
    metricsText: () => metrics.text(),
    async ticked() {
      metrics.set('lifeboat_tick_timestamp_seconds', {}, clock.now() / 1000);
      if (heartbeat === undefined && !messenger.wants('objective-missed') && !messenger.wants('schedule-missed')) return;
      try {
        const states = await plans.read();
        await tellConditions(states, messenger, told, startedAt);
        if (states.plans.every(({ onTime }) => onTime)) heartbeat?.beat();
      } catch (error) {
        if (!surroundings.signal.aborted) log.warn(`How the plans stand is not known: ${messageOf(error)}`, { err: error });
      }
    },
    async flush(ms = LAST_MESSAGES) {
      await messages.idle();
      await Promise.all([messenger.flush(ms), heartbeat?.flush(), tracing.flush()]);
    },
    async close() {
      await messages.idle();
      await Promise.all([messenger.close(LAST_MESSAGES), heartbeat?.close(), tracing.close()]);
    },
  };
}

async function collectPlans(metrics: Metrics, plans: PlanWatch, clock: Clock): Promise<void> {
  try {
    const states = await plans.read();
    showPlans(metrics, states.plans.map(gaugesOf), states.vaults.map(vaultGaugesOf), { readAt: Date.parse(states.at), now: clock.now() });
    const failed = states.plans.filter(({ problem }) => problem !== undefined).length;
    metrics.set('lifeboat_plans_unknown', {}, failed);
  } catch {
    metrics.set('lifeboat_plans_unknown', {}, undefined);
  }
}

async function collectQueue(metrics: Metrics, counts: () => Promise<Readonly<Record<string, number>>>): Promise<void> {
  metrics.clear('lifeboat_queue_jobs');
  try {
    for (const [state, count] of Object.entries(await counts())) metrics.set('lifeboat_queue_jobs', { state }, count);
    metrics.set('lifeboat_queue_up', {}, 1);
  } catch {
    metrics.set('lifeboat_queue_up', {}, 0);
  }
}

function logWarning(log: Log, config: Config, { kind, message, where }: Warning, job: Job | undefined): void {
  log.warn(message, { warning: kind, where, ...(job !== undefined && { job: job.id, kind: job.kind, ...aboutOf(job, config) }) });
}

interface Addresses {
  readonly webhooks: readonly Webhook[];
  readonly heartbeatUrl: string | undefined;
  readonly every: number | undefined;
}

function addressesOf(notify: NotifyConfig | undefined, surroundings: Surroundings): Addresses {
  const address = (name: string, what: string): string => httpUrl(hidden(secretFromEnv(surroundings, name, what).text, surroundings), name, what);
  const { webhooks = [], heartbeat } = notify ?? {};
  return {
    webhooks: webhooks.map(({ url, urlEnv, secretEnv, on }) => ({
      url: url ?? address(urlEnv ?? '', 'webhook'),
      ...(secretEnv !== undefined && { secret: secretFromEnv(surroundings, secretEnv, 'secret of the webhook').text }),
      ...(on !== undefined && { on }),
    })),
    heartbeatUrl: heartbeat === undefined ? undefined : address(heartbeat.urlEnv, 'heartbeat'),
    every: heartbeat?.every === undefined ? undefined : parseDuration(heartbeat.every),
  };
}

function hidden(text: string, surroundings: Surroundings): string {
  surroundings.hide(text);
  return text;
}

function httpUrl(text: string, name: string, what: string): string {
  const url = URL.parse(text.trim());
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href;
  throw new LifeboatError('LB_USAGE', `The environment variable for the ${what} holds no address`, { where: `$${name}`, hint: 'Set it to a URL that starts with https://.' });
}
