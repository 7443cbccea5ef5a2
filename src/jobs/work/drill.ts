import { drillOfPlan, drillReportsOfPlan } from '../../drill/of-plan.ts';
import type { Json } from '../../repository/api.ts';
import type { JobOf } from '../job.ts';
import type { Step, StepOutcome } from '../step.ts';

/**
 * One drill of a plan, in one step: its cluster cannot be handed on. Nothing is done when the slot has its report already. That an objective
 * was missed is no failure of the job: it is what the report is for.
 */
export async function drillJob(job: JobOf<'drill'>, { surroundings, onProgress }: Step): Promise<StepOutcome> {
  const { plan, slot, point } = job;
  if (slot !== undefined) {
    const { reports } = await drillReportsOfPlan(surroundings, { plan });
    const newest = reports[0];
    if (newest !== undefined && newest.report.startedAt >= slot) return { done: { covered: newest.id } };
  }
  const { report, id } = await drillOfPlan(surroundings, { plan, ...(point !== undefined && { point: { id: point } }), onProgress });
  return { done: JSON.parse(JSON.stringify({ ok: report.ok, point: report.point, rpo: report.rpo, rto: report.rto, report: id })) as Json };
}
