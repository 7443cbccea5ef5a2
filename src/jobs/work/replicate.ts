import { loadWriteKeyIfAny } from '../../access/key-files.ts';
import { chosenVaults, closeVaults, openVaults } from '../../access/vaults.ts';
import { planOf } from '../../access/plans.ts';
import { parseDuration } from '../../core/duration.ts';
import type { JobOf } from '../job.ts';
import type { Step, StepOutcome } from '../step.ts';

/** Brings the vaults of a plan level. A step that has no more time leaves what was copied, and the next one copies the rest. */
export async function replicateJob(job: JobOf<'replicate'>, { surroundings, onProgress, until }: Step): Promise<StepOutcome> {
  const { name, plan } = await planOf(surroundings, job.plan);
  if (plan.vaults.length < 2) return { done: { level: true, vaults: plan.vaults } };
  const configs = await chosenVaults(surroundings, {}, plan.vaults);
  const vaults = await openVaults(surroundings, configs);
  try {
    const { replicatePlans } = await import('../../pipeline/replicate.ts');
    const runs = await replicatePlans({
      vaults,
      plans: [{ name, site: plan.site, vaults: plan.vaults, lock: plan.lock === undefined ? undefined : parseDuration(plan.lock) }],
      keys: await loadWriteKeyIfAny(surroundings),
      signal: AbortSignal.any([surroundings.signal, until]),
      onProgress,
    });
    const level = vaults.length === configs.length && runs.every((run) => run.vaults.every(({ state }) => state === 'level'));
    const problems = runs.flatMap((run) => run.problems).length;
    return { done: { level, problems, vaults: vaults.map((vault) => vault.name) } };
  } catch (error) {
    surroundings.signal.throwIfAborted();
    if (until.aborted) return { again: {} };
    throw error;
  } finally {
    await closeVaults(vaults);
  }
}
