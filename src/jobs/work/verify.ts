import { z } from 'zod';
import { loadOpenersIfAny } from '../../access/key-files.ts';
import { unlockWith } from '../../access/repository.ts';
import { chosenVaults, closeVaults, openVaults } from '../../access/vaults.ts';
import { planOf } from '../../access/plans.ts';
import type { JobOf } from '../job.ts';
import { belongsIn, locksOf } from '../belongs.ts';
import type { Step, StepOutcome } from '../step.ts';

const memoSchema = z.object({ bytes: z.number(), findings: z.int(), healed: z.int() });

/** Reads a part of what the vaults of a plan hold, or all of it, and heals what is damaged, in as many steps as it takes. */
export async function verifyJob(job: JobOf<'verify'>, step: Step): Promise<StepOutcome> {
  const { surroundings, budget, clock, onProgress } = step;
  const { plan } = await planOf(surroundings, job.plan);
  const config = await surroundings.config();
  const { sample = 1, heal = true } = plan.verify ?? {};
  const before = memoSchema.safeParse(step.memo).data ?? { bytes: 0, findings: 0, healed: 0 };
  const configs = await chosenVaults(surroundings, {}, plan.vaults);
  const vaults = await openVaults(surroundings, configs);
  try {
    const [{ verify }, openers] = await Promise.all([import('../../repository/index.ts'), loadOpenersIfAny(surroundings, {}, 'read')]);
    const keys = openers.length === 0 ? undefined : await unlockWith(surroundings, vaults, openers, 'read');
    const left = budget.deadline === undefined ? undefined : Math.max(1, (budget.deadline - clock.now()) * STARTED_IN);
    const report = await verify({
      vaults,
      ...(keys !== undefined && { keys }),
      depth: 'data',
      // Of what a step before has read already, nothing is read again: it is remembered in the vaults.
      budget: { share: sample, ...(left !== undefined && { ms: left }) },
      remember: true,
      belongs: belongsIn(config),
      ...(heal && { heal: 'heal' as const, locks: locksOf(config) }),
      onProgress,
      onWarning: surroundings.warn,
      signal: surroundings.signal,
    });
    const healed = (report.repairs ?? []).filter(({ outcome }) => outcome === 'healed').length;
    const so = { bytes: before.bytes + (report.data?.bytes ?? 0), findings: before.findings + report.findings.length, healed: before.healed + healed };
    const wanted = (report.data?.totalBytes ?? 0) * sample;
    if (left !== undefined && so.bytes < wanted && (report.data?.bytes ?? 0) > 0) return { again: so };
    return { done: { ...so, unopened: configs.map(({ name }) => name).filter((name) => !vaults.some((vault) => vault.name === name)) } };
  } finally {
    await closeVaults(vaults);
  }
}

/** The part of a step's time in which an object may be begun; the rest is for healing and the report. */
const STARTED_IN = 0.6;
