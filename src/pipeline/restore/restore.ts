import { systemClock } from '../../core/clock.ts';
import { applyPlan } from './apply.ts';
import { preparePlan } from './build-plan.ts';
import type { PreparedPlan } from './build-plan.ts';
import { stoppedAt } from './earlier.ts';
import type { Earlier } from './earlier.ts';
import type { RestoreRequest } from './request.ts';
import { makeReport } from './report.ts';
import type { RestoreReport } from './report.ts';
import { RestoreRun } from './run.ts';
import type { Phase } from './run.ts';
import { verifyRestore } from './verify.ts';
import { waitForWorkloads } from './workloads.ts';

/** For a restore that is done in several steps. */
export interface RestoreStep {
  readonly earlier?: Earlier | undefined;
  /** Told what has been done so far when this one does not get to the end, before that is thrown. */
  readonly onStopped?: (done: Earlier) => void;
}

/**
 * Restores: load, discover, plan, apply, wait, verify, report. Nothing is marked in the target, so a restore that was
 * killed is simply started again: it finds what is there equal, and goes on. `made`: a plan that was made from this very request
 * a moment ago, and shown.
 *
 * Throws `LB_USAGE` for options that make no sense, `LB_RESTORE_CONFLICT` before anything is written when existing
 * objects differ and that is to fail, `LB_SITE_…` when the target cannot be used or stays away, and what reading the
 * source throws. Objects that could not be restored are no error: the report lists them.
 */
export async function restore(request: RestoreRequest, made?: PreparedPlan, { earlier, onStopped }: RestoreStep = {}): Promise<RestoreReport> {
  const prepared = made ?? (await preparePlan(request));
  const startedAt = systemClock.now() - prepared.phases.reduce((sum, phase) => sum + phase.seconds * 1000, 0);
  const run = new RestoreRun({ ...request, plan: prepared.plan, facts: prepared.facts });
  const phases: Phase[] = [...prepared.phases];
  const timed = async <T>(name: Phase['name'], work: () => Promise<T>): Promise<T> => {
    const begun = systemClock.now();
    try {
      return await work();
    } finally {
      phases.push({ name, seconds: (systemClock.now() - begun) / 1000 });
    }
  };
  const { options } = prepared.plan;
  const waitMs = options.waitMs - waited(earlier);
  try {
    await timed('apply', () => applyPlan(run));
    const workloads = options.waitMs > 0 ? await timed('wait', () => waitForWorkloads(run, waitMs)) : undefined;
    const verify = options.verify ? await timed('verify', () => verifyRestore(run)) : undefined;
    return makeReport(run, { startedAt, finishedAt: systemClock.now(), phases, verify, workloads, earlier });
  } catch (error) {
    onStopped?.(stoppedAt(run, { startedAt, phases }, earlier));
    throw error;
  }
}

/** How long workloads were waited for before, ms. */
function waited(earlier: Earlier | undefined): number {
  return (earlier?.phases.find(({ name }) => name === 'wait')?.seconds ?? 0) * 1000;
}
