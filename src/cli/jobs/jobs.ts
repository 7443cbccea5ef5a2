import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import { openJobQueue } from '../../jobs/open.ts';
import { QueueJobs } from '../../jobs/queue-service.ts';
import type { JobState, JobStatus } from '../../jobs/service.ts';
import type { Job } from '../../jobs/job.ts';
import type { Context } from '../context.ts';
import type { Style } from '../style.ts';
import { formatAge, formatTable } from '../text.ts';

export interface JobsOptions {
  readonly state?: JobState;
  readonly kind?: Job['kind'];
  readonly limit: number;
  readonly cancel?: boolean;
  readonly retry?: boolean;
  readonly drop?: boolean;
}

/** `lifeboat jobs`. Exit 4 when the one job that is asked for has failed. */
export async function jobs(context: Context, id: string | undefined, options: JobsOptions): Promise<number> {
  const act = actOf(id, options);
  const queue = await openJobQueue(context);
  try {
    const service = new QueueJobs(queue, await context.config());
    if (id === undefined) return await list(context, service, options);
    if (act === 'cancel' && !(await service.cancel(id))) throw new LifeboatError('LB_JOB_NOT_FOUND', `There is nothing to cancel: job ${id} has ended, or there is none`, { hint: '`lifeboat jobs` lists those there are.' });
    if (act === 'retry') await queue.retryParked(id);
    if (act === 'drop') await queue.dropParked(id);
    const status = await service.status(id);
    if (status === undefined && act === undefined) throw new LifeboatError('LB_JOB_NOT_FOUND', `There is no job ${id} in the queue`, { hint: 'Jobs that ended are forgotten after a while; `lifeboat jobs` lists those there are.' });
    const failed = act === undefined && status?.state === 'failed';
    await context.output.result({ ok: !failed, ...(act !== undefined && { act }), ...(status !== undefined && { job: status }) }, () => (status === undefined ? `${id} is gone` : textOf(status, context.output.style)));
    return failed ? EXIT.findings : EXIT.ok;
  } finally {
    await queue.close();
  }
}

type Act = 'cancel' | 'retry' | 'drop';

function actOf(id: string | undefined, options: JobsOptions): Act | undefined {
  const acts = (['cancel', 'retry', 'drop'] as const).filter((act) => options[act] === true);
  if (acts.length > 1) throw new LifeboatError('LB_USAGE', 'Only one thing can be done with a job at a time', { hint: `Give one of ${acts.map((act) => `--${act}`).join(', ')}.` });
  if (acts[0] !== undefined && id === undefined) throw new LifeboatError('LB_USAGE', `--${acts[0]} needs the id of a job`, { hint: '`lifeboat jobs` lists them.' });
  return acts[0];
}

async function list(context: Context, service: QueueJobs, { kind, limit, state }: JobsOptions): Promise<number> {
  const found = await service.list({ limit, ...(kind !== undefined && { kind }), ...(state !== undefined && { state }) });
  await context.output.result({ ok: true, jobs: found }, () => tableOf(found, context.output.style));
  return EXIT.ok;
}

function tableOf(found: readonly JobStatus[], style: Style): string {
  if (found.length === 0) return 'no jobs';
  const rows = found.map((status) => [status.job.id, formatAge(Date.now() - Date.parse(status.job.at)), stateOf(status, style), status.failure === undefined ? '' : `${status.failure.code} ${status.failure.message}`]);
  return formatTable([{ title: 'job' }, { title: 'asked for', right: true }, { title: 'state' }, { title: 'why' }], rows);
}

function stateOf({ state }: JobStatus, style: Style): string {
  if (state === 'done') return style.green(state);
  if (state === 'failed') return style.red(state);
  return state === 'unconfirmed' ? style.yellow(state) : state;
}

function textOf(status: JobStatus, style: Style): string {
  const { failure, job, progress, steps, finishedAt } = status;
  return [
    `${job.id}  ${stateOf(status, style)}`,
    `  asked for by ${job.requestedBy} at ${job.at}; ${steps === 1 ? '1 step' : `${steps} steps`}`,
    ...(progress === undefined || finishedAt !== undefined ? [] : [`  ${progress.phase}: ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`} ${progress.unit}`]),
    ...(finishedAt === undefined ? [] : [`  ended at ${finishedAt}`]),
    ...(failure === undefined ? [] : [`  ${style.red(failure.code)} ${failure.message}${failure.where === undefined ? '' : ` (${failure.where})`}`, ...(failure.hint === undefined ? [] : [`  fix: ${failure.hint}`])]),
  ].join('\n');
}
