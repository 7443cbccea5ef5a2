import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ReadKeyOptions } from '../../access/options.ts';
import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import { drillOfPlan, drillPlanOfPlan, drillReportsOfPlan } from '../../drill/of-plan.ts';
import type { PlanDrill, PlanDrillOptions } from '../../drill/of-plan.ts';
import { drillPage } from '../../drill/page/page.ts';
import type { PointChoice } from '../../drill/points.ts';
import type { Context } from '../context.ts';
import { keepMemoryLow } from '../engine.ts';
import { dryRunText, reportsText, reportText } from './report-text.ts';

export interface DrillCommandOptions extends ReadKeyOptions {
  readonly point?: string;
  readonly into?: string;
  readonly report?: string;
  readonly keep?: boolean;
  readonly dryRun?: boolean;
  readonly reports?: boolean;
}

/** `lifeboat drill`: exit 4 when the drill showed that something is wrong. */
export async function drillCommand(context: Context, planName: string | undefined, options: DrillCommandOptions): Promise<number> {
  const { name: plan } = await context.plan(planName);
  if (options.reports === true) return listReports(context, plan, options);
  const chosen: PlanDrillOptions = { ...options, plan, point: pointOf(options.point), onProgress: context.output.progress.report };
  keepMemoryLow();
  if (options.dryRun === true) {
    const planned = await drillPlanOfPlan(context, chosen);
    await context.output.result({ ok: true, plan, dryRun: true, ...planned }, () => dryRunText(planned));
    return EXIT.ok;
  }
  const page = options.report === undefined ? undefined : await writable(context.path(options.report));
  let shown: number | undefined;
  const show = async (finished: Omit<PlanDrill, 'reportPublicKey'>): Promise<number> => {
    const { id, report, vaults } = finished;
    await context.output.result({ ok: report.ok, id, kept: vaults, report }, () => reportText(finished, context.output.style, options.report));
    if (vaults.length === 0 && report.ok) return EXIT.partial;
    return report.ok ? EXIT.ok : EXIT.findings;
  };
  const inspect: PlanDrillOptions['inspect'] = async (cluster, finished) => {
    shown = await show(finished);
    context.output.note(`${cluster.name} runs at ${cluster.server}.${cluster.kubeconfig === undefined ? '' : `\n\n  export KUBECONFIG=${cluster.kubeconfig}\n`}\nCtrl-C ends it.`);
    await stopped(context.signal);
  };
  const finished = await drillOfPlan(context, { ...chosen, ...(options.keep === true && { inspect }) });
  if (page !== undefined) await writeFile(page, drillPage(finished));
  return shown ?? show(finished);
}

function pointOf(text: string | undefined): PointChoice | undefined {
  return text === undefined || text === 'newest' || text === 'random' ? text : { id: text };
}

/** Known before the drill, which takes minutes. Throws `LB_USAGE`. */
async function writable(path: string): Promise<string> {
  try {
    await access(dirname(path), constants.W_OK);
    return path;
  } catch (error) {
    throw new LifeboatError('LB_USAGE', `The report cannot be written: ${messageOf(error)}`, { where: path, hint: 'Name a file in a folder that is there.' });
  }
}

/** Resolves with Ctrl-C. */
async function stopped(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    // A timer keeps this process alive: waiting for a signal does not.
    const timer = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => resolve(clearInterval(timer)), { once: true });
  });
}

async function listReports(context: Context, plan: string, options: ReadKeyOptions): Promise<number> {
  const { reports, bad } = await drillReportsOfPlan(context, { ...options, plan });
  const ok = bad.length === 0;
  await context.output.result({ ok, plan, reports, bad }, () => reportsText(reports, bad, context.output.style));
  return ok ? EXIT.ok : EXIT.findings;
}
