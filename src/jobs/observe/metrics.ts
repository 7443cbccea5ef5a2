import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { Progress } from '../../core/progress.ts';
import type { Metrics } from '../../telemetry/metrics/metrics.ts';
import type { JobObserver, StepEnd } from '../events.ts';
import type { Job } from '../job.ts';
import { aboutOf } from './about.ts';
import { Phases } from './phases.ts';
import { knownResult } from './results.ts';

/** Counts and times what jobs do. */
export class MetricsObserver implements JobObserver {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #phases = new Map<string, Phases>();

  constructor(metrics: Metrics, clock: Clock = systemClock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  began({ id, kind }: Job, _attempt: number, waitedMs?: number): void {
    if (!this.#phases.has(id)) this.#metrics.add('lifeboat_jobs_active', { kind }, 1);
    this.#phases.set(id, new Phases());
    if (waitedMs !== undefined) this.#metrics.observe('lifeboat_job_wait_seconds', { kind }, waitedMs / 1000);
  }

  progressed({ id }: Job, progress: Progress): void {
    this.#phases.get(id)?.heard(progress, this.#clock.now());
  }

  ended(job: Job, end: StepEnd): void {
    const { id, kind, at } = job;
    const phases = this.#phases.get(id);
    if (this.#phases.delete(id)) this.#metrics.add('lifeboat_jobs_active', { kind }, -1);
    for (const { name, startedAt, endedAt } of phases?.all() ?? []) this.#metrics.observe('lifeboat_job_phase_duration_seconds', { kind, phase: name }, (endedAt - startedAt) / 1000);
    this.#metrics.count('lifeboat_job_steps_total', { kind, outcome: end.outcome });
    this.#metrics.observe('lifeboat_job_step_duration_seconds', { kind }, end.seconds);
    if (end.outcome === 'failed') this.#metrics.count('lifeboat_job_failures_total', { kind, code: end.failure.code });
    if (end.outcome === 'again' || end.outcome === 'handed-back' || (end.outcome === 'failed' && !end.last)) return;
    this.#metrics.count('lifeboat_jobs_total', { kind, outcome: end.outcome });
    if (end.outcome !== 'done') return;
    const now = this.#clock.now();
    this.#metrics.observe('lifeboat_job_duration_seconds', { kind }, (now - Date.parse(at)) / 1000);
    const plan = aboutOf(job, undefined).plan ?? '';
    this.#metrics.set('lifeboat_job_success_timestamp_seconds', { kind, plan }, now / 1000);
    const { stats, objects, bytes, healed } = knownResult(end.result);
    if (kind === 'backup' && stats !== undefined) {
      this.#metrics.count('lifeboat_backup_read_bytes_total', { plan }, stats.plaintextBytes);
      this.#metrics.count('lifeboat_backup_stored_bytes_total', { plan }, stats.storedBytes);
      this.#metrics.set('lifeboat_backup_objects', { plan }, objects);
    }
    if (kind === 'verify') {
      this.#metrics.count('lifeboat_verify_read_bytes_total', { plan }, bytes ?? 0);
      this.#metrics.count('lifeboat_verify_healed_total', { plan }, healed ?? 0);
    }
  }
}
