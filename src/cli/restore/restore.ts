import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { RestoreOptions as PipelineOptions } from '../../pipeline/restore/options.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { identifySite } from '../../site/revision.ts';
import type { StateSource } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { keepMemoryLow } from '../engine.ts';
import { parseNamespaceMap } from '../namespace-map.ts';
import { canAsk, confirm } from '../prompt.ts';
import { withPoint } from '../repository.ts';
import { selectionOf } from '../selection.ts';
import { connectChosen } from '../sites.ts';
import { planLines, planSummary } from './plan-text.ts';
import { reportText } from './report-text.ts';
import type { ReadKeyOptions, VaultOptions } from '../command.ts';

export interface RestoreOptions extends VaultOptions, ReadKeyOptions {
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly site?: string;
  readonly to?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly existing: 'skip' | 'update' | 'fail';
  readonly namespace?: readonly string[];
  readonly excludeNamespace?: readonly string[];
  readonly type?: readonly string[];
  readonly excludeType?: readonly string[];
  readonly label?: string;
  readonly object?: readonly string[];
  readonly mapNamespace?: readonly string[];
  /** Milliseconds. */
  readonly wait?: number;
  readonly yes?: boolean;
  readonly intoSource?: boolean;
}

/** `lifeboat restore`: plan, show, ask, do, compare, report. */
export async function restore(context: Context, id: string, options: RestoreOptions): Promise<number> {
  if (options.to === undefined && options.kubeconfig === undefined && options.context === undefined) {
    throw new LifeboatError('LB_USAGE', 'Nothing says which cluster to restore into', { hint: 'Give --kubeconfig FILE, or --to SITE with a site of lifeboat.yaml.' });
  }
  keepMemoryLow();
  const pipelineOptions = asPipelineOptions(options);
  const planOnly = options.plan === true || options.dryRun === true;
  const asking = !planOnly && options.yes !== true;
  if (asking && (!canAsk(context.terminal) || context.globals.json === true)) {
    throw new LifeboatError('LB_USAGE', 'A restore writes to the cluster, and nobody can be asked whether to', {
      hint: 'Look at the plan with --plan, then add --yes.',
    });
  }
  return withPoint(context, id, options, async (source) => {
    const target = await connectChosen(context, { site: options.to, kubeconfig: options.kubeconfig, context: options.context });
    try {
      await refuseSource(context, source, target, planOnly || options.intoSource === true);
      const { output, signal } = context;
      const request = { source, target, options: pipelineOptions, signal, onProgress: output.progress.report };
      if (planOnly) return await showPlan(context, request);
      const [{ preparePlan }, { restore: run }] = await Promise.all([import('../../pipeline/restore/build-plan.ts'), import('../../pipeline/restore/restore.ts')]);
      const prepared = await preparePlan(request);
      if (asking) {
        output.progress.finish();
        context.terminal.stderr.write(`${output.redactor.redact(planSummary(prepared.plan, output.style))}\n`);
        if (!(await confirm(context.terminal, 'Restore?', signal))) throw new LifeboatError('LB_INTERRUPTED', 'Nothing was restored');
      }
      const report = await run(request, prepared);
      for (const warning of report.warnings) output.warn(warning);
      await output.result({ ...report, ok: report.ok }, () => reportText(report, output.style));
      return report.ok ? EXIT.ok : EXIT.partial;
    } finally {
      await target.close();
    }
  });
}

interface PlanRequest {
  readonly source: StateSource;
  readonly target: SiteConnection;
  readonly options: PipelineOptions;
  readonly signal: AbortSignal;
}

async function showPlan(context: Context, request: PlanRequest): Promise<number> {
  const { output } = context;
  const { planRestore } = await import('../../pipeline/restore/build-plan.ts');
  const plan = await planRestore({ ...request, onProgress: output.progress.report });
  output.progress.finish();
  const conflicts = plan.entries.some((entry) => entry.action === 'conflict');
  if (context.globals.json !== true) for (const line of planLines(plan)) await output.line(line);
  await output.result({ ok: !conflicts, plan }, () => planSummary(plan, output.style));
  return conflicts ? EXIT.findings : EXIT.ok;
}

function asPipelineOptions(options: RestoreOptions): PipelineOptions {
  return {
    selection: selectionOf(options),
    objects: options.object ?? [],
    renameNamespaces: parseNamespaceMap(options.mapNamespace ?? []),
    existing: options.existing,
    waitMs: options.wait ?? 0,
  };
}

/** The wrong kubeconfig must not cost a cluster its state. Where it cannot be told which cluster it is, it counts as the wrong one. */
async function refuseSource(context: Context, source: StateSource, target: SiteConnection, allowed: boolean): Promise<void> {
  const { clusterUid } = await identifySite(target, context.signal);
  const unknown = [
    ...(clusterUid === '' ? ['the namespace kube-system of the target could not be read'] : []),
    ...(source.summary.clusterUid === '' ? ['the namespace kube-system could not be read when the backup was made'] : []),
  ].join(', and ');
  if (unknown !== '') {
    const message = `It cannot be told whether the target is the cluster that ${source.label} was taken from: ${unknown}`;
    if (!allowed) {
      throw new LifeboatError('LB_RESTORE_INTO_SOURCE', message, {
        where: target.server,
        hint: 'Allow `get` of the namespace kube-system; or make sure that kubeconfig and context are the right ones, and add --into-source.',
      });
    }
    context.output.warn({ kind: 'cluster-unknown', message });
    return;
  }
  if (allowed || clusterUid !== source.summary.clusterUid) return;
  throw new LifeboatError('LB_RESTORE_INTO_SOURCE', `The target is the cluster that ${source.label} was taken from`, {
    where: target.server,
    hint: 'Check kubeconfig and context. If it is meant, add --into-source.',
  });
}
