import { systemClock } from '../../core/clock.ts';
import { applyPlan } from './apply.ts';
import { preparePlan } from './build-plan.ts';
import type { PreparedPlan } from './build-plan.ts';
import type { RestoreRequest } from './request.ts';
import { makeReport } from './report.ts';
import type { Phase, RestoreReport } from './report.ts';
import { RestoreRun } from './run.ts';
import { verifyRestore } from './verify.ts';
import { waitForWorkloads } from './workloads.ts';

/**
 * Restores: load, discover, plan, apply, wait, verify, report. Nothing is marked in the target, so a restore that was
 * killed is simply started again: it finds what is there equal, and goes on. `made`: a plan that was made from this very request
 * a moment ago, and shown.
 *
 * Throws `LB_USAGE` for options that make no sense, `LB_RESTORE_CONFLICT` before anything is written when existing
 * objects differ and that is to fail, `LB_SITE_…` when the target cannot be used or stays away, and what reading the
 * source throws. Objects that could not be restored are no error: the report lists them.
 */
export async function restore(request: RestoreRequest, made?: PreparedPlan): Promise<RestoreReport> {
  const prepared = made ?? (await preparePlan(request));
  const startedAt = systemClock.now() - prepared.phases.reduce((sum, phase) => sum + phase.seconds * 1000, 0);
  const run = new RestoreRun({ ...request, plan: prepared.plan, facts: prepared.facts });
  const phases: Phase[] = [...prepared.phases];
  const timed = async <T>(name: Phase['name'], work: () => Promise<T>): Promise<T> => {
    const begun = systemClock.now();
    const result = await work();
    phases.push({ name, seconds: (systemClock.now() - begun) / 1000 });
    return result;
  };
  const { options } = prepared.plan;
  await timed('apply', () => applyPlan(run));
  const workloads = options.waitMs > 0 ? await timed('wait', () => waitForWorkloads(run, options.waitMs)) : undefined;
  const verify = options.verify ? await timed('verify', () => verifyRestore(run)) : undefined;
  return makeReport(run, { startedAt, finishedAt: systemClock.now(), phases, verify, workloads });
}
