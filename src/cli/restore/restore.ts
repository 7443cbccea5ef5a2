import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { RestoreOptions as PipelineOptions } from '../../pipeline/restore/options.ts';
import { refuseSource } from '../../pipeline/restore/refuse-source.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { StateSource } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { keepMemoryLow } from '../engine.ts';
import { parseNamespaceMap } from '../namespace-map.ts';
import { canAsk, confirm } from '../prompt.ts';
import { withPoint } from '../../access/repository.ts';
import { selectionOf } from '../selection.ts';
import { connectChosen } from '../../access/sites.ts';
import { planLines, planSummary } from './plan-text.ts';
import { reportText } from './report-text.ts';
import type { RestoreOptions } from './options.ts';

/** `lifeboat restore`: plan, show, ask, do, compare, report. */
export async function restore(context: Context, id: string, options: RestoreOptions): Promise<number> {
  if (options.server !== undefined) return (await import('../remote/restore.ts')).restoreRemotely(context, id, options);
  refuseServerOptions(options);
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
      await refuseSource(source, target, { allowed: planOnly || options.intoSource === true, signal: context.signal, onWarning: context.output.warn });
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

function refuseServerOptions({ confirm: digest, follow, idempotencyKey, ofPlan }: RestoreOptions): void {
  if (digest === undefined && follow === undefined && idempotencyKey === undefined && ofPlan === undefined) return;
  throw new LifeboatError('LB_USAGE', 'Only a restore on a server is followed and confirmed', { hint: 'Give --server URL, or leave --follow, --confirm, --of-plan and --idempotency-key out.' });
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
