import { z } from 'zod';
import { withPoint, withReader } from '../../access/repository.ts';
import { connectChosen } from '../../access/sites.ts';
import { planOf } from '../../access/plans.ts';
import { Cancelled, OutOfTime } from '../../core/budget.ts';
import { LifeboatError } from '../../core/errors.ts';
import { preparePlan } from '../../pipeline/restore/build-plan.ts';
import type { PreparedPlan } from '../../pipeline/restore/build-plan.ts';
import type { RestoreOptions } from '../../pipeline/restore/options.ts';
import { earlierSchema } from '../../pipeline/restore/earlier.ts';
import type { Earlier } from '../../pipeline/restore/earlier.ts';
import { confirmationDigest, countActions } from '../../pipeline/restore/plan.ts';
import { refuseSource } from '../../pipeline/restore/refuse-source.ts';
import type { RestoreReport } from '../../pipeline/restore/report.ts';
import { restore } from '../../pipeline/restore/restore.ts';
import { nameEntry } from '../../pipeline/restore/run.ts';
import type { Json } from '../../repository/api.ts';
import { identifySite } from '../../site/revision.ts';
import type { JobOf, RestoreOrder } from '../job.ts';
import type { Step, StepOutcome } from '../step.ts';

/** Steps in a row that may end before anything was written. */
const IDLE_STEPS = 2;
/** How long the record of a cancelled restore may take, ms. */
const LAST_WORDS = 3_000;
/** Objects that a summary names. */
const NAMED = 200;

/** Point: a later step must not take a newer one. */
const memoSchema = z.object({ point: z.string(), startedAt: z.number(), steps: z.int(), idle: z.int(), writing: z.boolean(), earlier: earlierSchema.exactOptional() });
type Memo = z.output<typeof memoSchema>;

/**
 * Restores: plan, state, wait, verify, report. It takes as many steps as it needs: each makes the plan again, which finds what is there already, and goes
 * on with what is left. What would change objects that exist, or go into the cluster that the point is of, waits for somebody to confirm the plan. What
 * it came to is left in the vaults.
 */
export async function restoreJob(job: JobOf<'restore'>, step: Step): Promise<StepOutcome> {
  const { surroundings, clock, until } = step;
  const { request, confirmed } = job;
  const { plan } = await planOf(surroundings, request.plan);
  const memo = memoSchema.safeParse(step.memo).data;
  const chosen = { vault: plan.vaults, site: plan.site };
  const point = memo?.point ?? (await pointBefore(request, step, chosen)) ?? request.point;
  const signal = AbortSignal.any([surroundings.signal, until]);
  const going: Memo = memo ?? { point, startedAt: clock.now(), steps: 0, idle: 0, writing: job.resumed === true };
  let wrote = false;
  let earlier: Earlier | undefined = going.earlier;
  let exact = point;
  try {
    return await withPoint(surroundings, point, chosen, async (source, { header }, opened) => {
      exact = header.id;
      const target = await connectChosen(surroundings, { site: request.target });
      try {
        await refuseSource(source, target, { allowed: request.intoSource, signal, onWarning: surroundings.warn });
        const asked = {
          source,
          target,
          options: optionsOf(request),
          signal,
          onProgress: (progress: Parameters<Step['onProgress']>[0]) => {
            wrote ||= progress.phase === 'apply' && progress.done > 0;
            step.onProgress(progress);
          },
        };
        const prepared = await preparePlan(asked);
        const digest = confirmationDigest(prepared.plan);
        if (request.dryRun) return { done: { dryRun: true, plan: summaryOf(prepared, digest) } };
        // What was begun goes on: its plan was confirmed, and is another by now because part of it is done.
        if (!going.writing && needsConfirmation(request, prepared, { source: source.summary.clusterUid, target: (await identifySite(target, signal)).clusterUid })) {
          if (confirmed === undefined) return { unconfirmed: { plan: summaryOf(prepared, digest) } };
          if (confirmed.digest !== digest) throw changed(prepared);
        }
        const told = { signal, onWarning: surroundings.warn };
        const { beginJobRecord, endJobRecord } = await import('../../repository/index.ts');
        const end = (content: Json, until: AbortSignal): Promise<void> =>
          endJobRecord(opened.vaults, opened.keys, { id: job.id, at: new Date(clock.now()).toISOString(), content }, { ...told, signal: until });
        const carryOut = async (): Promise<RestoreReport> => {
          await beginJobRecord(opened.vaults, opened.keys, { id: job.id, at: new Date(going.startedAt).toISOString(), content: begun(job, header.id) }, told);
          return restore(asked, prepared, { earlier: going.earlier, onStopped: (done) => (earlier = done) });
        };
        const report = await carryOut().catch(async (error: unknown) => {
          // On record as ended, so that nobody goes on with it when the queue is lost.
          if (surroundings.signal.reason instanceof Cancelled) await end({ canceled: true }, AbortSignal.timeout(LAST_WORDS)).catch(() => {});
          throw error;
        });
        const seconds = (clock.now() - going.startedAt) / 1000;
        const done = { ok: report.ok, point: header.id, steps: going.steps + 1, seconds };
        // Times and counts: names of objects are nothing for whoever can only look at a vault.
        await end({ ...done, phases: report.phases.map((phase) => ({ ...phase })), objects: { ...report.objects } }, signal);
        return { done: { ...done, report: reportOf(report) } };
      } finally {
        await target.close();
      }
    });
  } catch (error) {
    surroundings.signal.throwIfAborted();
    if (!until.aborted) throw error;
    // Waiting for workloads is what such a step is for.
    const waited = secondsOf('wait', earlier) > secondsOf('wait', going.earlier);
    const idle = !wrote && !waited && until.reason instanceof OutOfTime ? going.idle + 1 : 0;
    if (idle >= IDLE_STEPS) throw tooLittleTime(request);
    return { again: { ...going, point: exact, steps: going.steps + 1, idle, writing: going.writing || wrote, ...(earlier !== undefined && { earlier }) } };
  }
}

function secondsOf(phase: string, earlier: Earlier | undefined): number {
  return earlier?.phases.find(({ name }) => name === phase)?.seconds ?? 0;
}

/** What is needed to go on when the queue has lost the job: the job, of the very point that was begun with. */
function begun(job: JobOf<'restore'>, point: string): Json {
  const { before: _before, ...request } = job.request;
  return JSON.parse(JSON.stringify({ job: { ...job, resumed: true, request: { ...request, point } } })) as Json;
}

/** The newest point of the moment that was asked for, or of before. */
async function pointBefore({ before, point }: RestoreOrder, { surroundings }: Step, chosen: { readonly vault: readonly string[]; readonly site: string }): Promise<string | undefined> {
  if (before === undefined || point !== 'latest') return undefined;
  return withReader(surroundings, chosen, async (reader) => {
    const points = await reader.listPoints({ site: chosen.site, signal: surroundings.signal });
    const moment = Date.parse(before);
    const found = points.findLast(({ header }) => header !== undefined && Date.parse(header.at) <= moment);
    if (found !== undefined) return found.id;
    throw new LifeboatError('LB_POINT_NOT_FOUND', `There is no point of site "${chosen.site}" of ${before} or before`, {
      hint: '`lifeboat points` shows which there are.',
    });
  });
}

function optionsOf(request: RestoreOrder): RestoreOptions {
  const { selection, objects, renameNamespaces, existing, waitSeconds } = request;
  return { selection, objects, renameNamespaces, existing, waitMs: waitSeconds * 1000 };
}

/** Whether more is at stake than in a restore that only adds. */
function needsConfirmation(request: RestoreOrder, { plan }: PreparedPlan, clusters: { readonly source: string; readonly target: string }): boolean {
  if (request.intoSource && (clusters.source === '' || clusters.source === clusters.target)) return true;
  return request.existing === 'update' && plan.entries.some(({ action }) => action === 'update');
}

/** A plan in a size that a queue can hold. */
function summaryOf({ plan }: PreparedPlan, digest: string): Json {
  const named = (action: string): string[] =>
    plan.entries
      .filter((entry) => entry.action === action)
      .slice(0, NAMED)
      .map((entry) => {
        const type = plan.types[entry.type];
        return type === undefined ? entry.name : nameEntry(type, entry);
      });
  return {
    digest,
    source: { ...plan.source },
    target: { ...plan.target },
    actions: countActions(plan),
    update: named('update'),
    conflict: named('conflict'),
    unsupported: named('unsupported'),
    warnings: plan.warnings.slice(0, NAMED).map((warning) => ({ ...warning })),
  };
}

/** A report in a size that a queue can hold. */
function reportOf(report: RestoreReport): Json {
  const { failures, kept, warnings } = report;
  const omitted = { failures: Math.max(0, failures.length - NAMED), kept: Math.max(0, kept.length - NAMED), warnings: Math.max(0, warnings.length - NAMED) };
  const short = { ...report, failures: failures.slice(0, NAMED), kept: kept.slice(0, NAMED), warnings: warnings.slice(0, NAMED), omitted };
  return JSON.parse(JSON.stringify(short)) as Json;
}

function changed({ plan }: PreparedPlan): LifeboatError {
  return new LifeboatError('LB_CONFIRMATION', 'The plan is not the one that was confirmed: the target has changed meanwhile', {
    where: plan.target.server,
    hint: 'Ask for the restore again, look at its plan, and confirm that.',
  });
}

function tooLittleTime({ target }: RestoreOrder): LifeboatError {
  return new LifeboatError('LB_BUDGET_TOO_SMALL', 'The plan of the restore cannot be made in the time that a step has', {
    where: `site "${target}"`,
    hint: 'Give steps more time (the time-out of the function), let `lifeboat worker` do it, or select less.',
  });
}
