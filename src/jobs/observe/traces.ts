import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../config/load.ts';
import type { Progress } from '../../core/progress.ts';
import { NO_TRACING } from '../../telemetry/traces/tracing.ts';
import type { SpanAttributes, SpanOptions, TraceSpan, Tracing } from '../../telemetry/traces/tracing.ts';
import type { JobObserver, StepEnd } from '../events.ts';
import type { Job } from '../job.ts';
import { aboutOf } from './about.ts';
import { Phases } from './phases.ts';

/** A span for each wait in the queue and each step, with the step's phases in it, in the trace that the job carries. */
export class TraceObserver implements JobObserver {
  readonly #tracing: Tracing;
  readonly #config: Config | undefined;
  readonly #clock: Clock;
  readonly #steps = new Map<string, { readonly span: TraceSpan; readonly phases: Phases }>();

  constructor(tracing: Tracing, config: Config | undefined, clock: Clock = systemClock) {
    this.#tracing = tracing;
    this.#config = config;
    this.#clock = clock;
  }

  began(job: Job, attempt: number, waitedMs?: number): void {
    if (!this.#tracing.enabled) return;
    const parent = job.traceparent;
    const attributes = { ...attributesOf(job, this.#config), 'lifeboat.attempt': attempt };
    const now = this.#clock.now();
    if (waitedMs !== undefined && parent !== undefined) {
      const at = now - Math.max(0, waitedMs);
      this.#tracing.begin('wait in the queue', { parent, attributes, startedAt: at }).end(now);
    }
    const span = this.#tracing.begin(`${job.kind} step`, { kind: 'consumer', ...(parent !== undefined && { parent }), attributes, startedAt: now });
    this.#steps.set(job.id, { span, phases: new Phases() });
  }

  progressed({ id }: Job, progress: Progress): void {
    this.#steps.get(id)?.phases.heard(progress, this.#clock.now());
  }

  ended({ id }: Job, end: StepEnd): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    this.#steps.delete(id);
    const { span, phases } = step;
    for (const { name, startedAt, endedAt, done, unit, bytes } of phases.all()) span.part(name, startedAt, endedAt, { [`lifeboat.${unit}`]: done, 'lifeboat.bytes': bytes });
    span.set({ 'lifeboat.outcome': end.outcome });
    if (end.outcome === 'failed') {
      span.fail(new Error(end.failure.message));
      span.set({ 'error.type': end.failure.code });
    }
    span.end(this.#clock.now());
  }

  /** Does a step of the job in its span: lines of the log carry its ids, and what begins in it is a part of it. */
  within<T>(job: Job, body: () => T): T {
    const step = this.#steps.get(job.id);
    // Where no traces are made, what follows from the job is in its trace all the same.
    const span = step?.span ?? NO_TRACING.begin(`${job.kind} step`, { parent: job.traceparent });
    return span.run(body);
  }
}

/**
 * The job with the trace that it is a part of: a span for handing it over, which is a part of what goes on here, or of `parent` (the
 * traceparent of a request or event), and begins a trace where there is neither. A job that carries one already keeps it. `startedAt`: when
 * it was handed over, if that is over.
 */
export function traced(job: Job, tracing: Tracing, { parent, startedAt }: Pick<SpanOptions, 'parent' | 'startedAt'> = {}): Job {
  if (job.traceparent !== undefined) return job;
  const attributes = { ...attributesOf(job, undefined), 'lifeboat.slot': 'slot' in job ? job.slot : undefined };
  const span = tracing.begin(`submit ${job.kind}`, { kind: 'producer', parent, attributes, ...(startedAt !== undefined && { startedAt }) });
  span.end(startedAt);
  return span.traceparent === undefined ? job : { ...job, traceparent: span.traceparent };
}

function attributesOf(job: Job, config: Config | undefined): SpanAttributes {
  const { plan, site } = aboutOf(job, config);
  return { 'lifeboat.job.id': job.id, 'lifeboat.job.kind': job.kind, 'lifeboat.plan': plan, 'lifeboat.site': site };
}
