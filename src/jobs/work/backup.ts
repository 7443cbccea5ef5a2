import { z } from 'zod';
import { asSelection } from '../../access/selection.ts';
import { planOf } from '../../access/plans.ts';
import { OutOfTime } from '../../core/budget.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { PointHeader } from '../../repository/api.ts';
import type { Vault } from '../../vault/vault.ts';
import { eventJobId } from '../job.ts';
import type { Job, JobOf } from '../job.ts';
import { withPlanWriter } from '../plan-writer.ts';
import type { Step, StepOutcome } from '../step.ts';

/** A step that has less time, ms, is likely to be one of many. */
const SHORT_STEP = 20 * 60_000;
/** In such a step, what was stored is known to the next step after so long, ms, so that a step that is cut off loses no more. */
const KNOWN_AFTER = 5_000;
/** And packs are of so many bytes, so that the last ones are stored in the time that is kept for them. */
const PACK_BYTES = 2 * 1024 * 1024;
/** Steps in a row that may store nothing new. */
const IDLE_STEPS = 2;
/** How long vaults that did not get the point are left alone before it is copied to them, ms. */
const REPLICATE_AFTER = 60_000;

const memoSchema = z.object({ steps: z.int(), idle: z.int() });

/** One recovery point of a plan, in as many steps as it takes. Nothing is done when the slot has one already. */
export async function backupJob(job: JobOf<'backup'>, step: Step): Promise<StepOutcome> {
  const { surroundings, clock, onProgress, until } = step;
  const { signal, warn } = surroundings;
  const named = await planOf(surroundings, job.plan);
  const { plan } = named;
  const memo = memoSchema.safeParse(step.memo).data ?? { steps: 0, idle: 0 };
  return withPlanWriter(surroundings, named, async ({ writer, connection, vaults }) => {
    if (job.slot !== undefined) {
      const newest = await newestHeader(vaults, plan.site, step);
      if (newest !== undefined && newest.startedAt >= job.slot) return { done: { covered: newest.id } };
    }
    const { backupStep } = await import('../../pipeline/backup.ts');
    const result = await backupStep({
      connection,
      writer,
      site: plan.site,
      selection: asSelection(plan.select ?? {}),
      until,
      ...(isShort(step) && { knownAfter: KNOWN_AFTER, packBytes: PACK_BYTES }),
      signal,
      onProgress,
      onWarning: warn,
    });
    if ('suspended' in result) {
      const idle = result.suspended.newChunks === 0 && until.reason instanceof OutOfTime ? memo.idle + 1 : 0;
      if (idle >= IDLE_STEPS) throw tooLittleTime(plan.site);
      return { again: { steps: memo.steps + 1, idle } };
    }
    const { point, summary } = result.done;
    const absent = plan.vaults.filter((vault) => !point.vaults.includes(vault));
    const objects = summary.types.reduce((sum, type) => sum + type.count, 0);
    return {
      done: { point: point.header.id, at: point.header.at, complete: point.header.complete, safe: point.safe, vaults: point.vaults, absent, objects, stats: { ...point.header.stats } },
      ...(absent.length > 0 && { next: [{ job: replicateAfter(job, point.header.id, clock.now()), delayMs: REPLICATE_AFTER }] }),
    };
  });
}

function isShort({ budget, clock }: Step): boolean {
  return budget.deadline !== undefined && budget.deadline - clock.now() < SHORT_STEP;
}

async function newestHeader(vaults: readonly Vault[], site: string, { surroundings }: Step): Promise<PointHeader | undefined> {
  const { newestPoint } = await import('../../repository/index.ts');
  return newestPoint(vaults, site, { signal: surroundings.signal, onWarning: surroundings.warn });
}

/** Not the job that a vault's own event about the point makes: that one may be done long before the absent vault is back. */
function replicateAfter(job: JobOf<'backup'>, point: string, now: number): Job {
  return { kind: 'replicate', id: eventJobId('replicate', job.plan, point), plan: job.plan, requestedBy: 'event', at: new Date(now).toISOString() };
}

function tooLittleTime(site: string): LifeboatError {
  return new LifeboatError('LB_BUDGET_TOO_SMALL', `Site "${site}" cannot be listed in the time that a step has, although nothing new has to be stored`, {
    where: `site "${site}"`,
    hint: 'Give steps more time (the time-out of the function), run `lifeboat worker` nearer to the API server, or select less.',
  });
}
