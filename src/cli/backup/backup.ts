import { formatDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/error-codes.ts';
import type { BackupResult } from '../../pipeline/backup.ts';
import { typeName } from '../../site/types.ts';
import { withPlanWriter } from '../../jobs/plan-writer.ts';
import type { Context } from '../context.ts';
import { asSelection } from '../../access/selection.ts';
import { formatBytes, plural } from '../text.ts';
import { groupReasons } from '../warning-groups.ts';

/** `lifeboat backup`: one recovery point of a plan. Exit 3 when something is missing from it, or when it is not safe. */
export async function backup(context: Context, planName: string | undefined): Promise<number> {
  const { name, plan } = await context.plan(planName);
  const { output, signal } = context;
  const began = performance.now();
  return withPlanWriter(context, { name, plan }, async ({ writer, connection }) => {
    const pipeline = await import('../../pipeline/backup.ts');
    const result = await pipeline.backup({
      connection,
      writer,
      site: plan.site,
      selection: asSelection(plan.select ?? {}),
      signal,
      onProgress: output.progress.report,
      onWarning: output.warn,
    });
    // Vaults that could not even be opened are as much without the point as those that failed later.
    const absent = plan.vaults.filter((vault) => !result.point.vaults.includes(vault));
    return report(context, { plan: name, seconds: (performance.now() - began) / 1000, absent, ...result });
  });
}

interface Report extends BackupResult {
  readonly plan: string;
  readonly seconds: number;
  /** Vaults of the plan that do not have the point. */
  readonly absent: readonly string[];
}

async function report(context: Context, { plan, seconds, absent, point, summary }: Report): Promise<number> {
  const { header, vaults, copies, safe, behind, failed } = point;
  const ok = header.complete && safe;
  const objects = summary.types.reduce((sum, type) => sum + type.count, 0);
  const imperfect = summary.types.filter((type) => type.fidelity !== 'exact');
  await context.output.result(
    { ok, plan, point: header, objects, seconds, vaults, copies, safe, absent, behind, failed, notExact: imperfect.map(({ reason, fidelity, ...type }) => ({ type: typeName(type), fidelity, reason })) },
    () => {
      const { stats } = header;
      const where = `${vaults.toSorted().join(', ')}${absent.length > 0 ? `; not in ${absent.join(', ')}` : ''}`;
      return [
        `${ok ? context.output.style.green('recovery point') : context.output.style.yellow('recovery point')} ${header.id}`,
        `  ${plural(objects, 'object')} of ${plural(summary.types.filter((type) => type.count > 0).length, 'type')}, ${formatBytes(stats.plaintextBytes)}, as of ${header.at}`,
        `  ${formatBytes(stats.storedBytes)} added to each vault: ${where}`,
        ...(absent.length === 0 ? [] : [`  ${safe ? 'safe' : 'not safe'}: in ${vaults.length} of ${vaults.length + absent.length} vaults, ${copies} needed; \`lifeboat replicate\` brings the others level`]),
        `  in ${formatDuration(seconds * 1000)}`,
        ...lacking(summary, 'missing').map((line) => `  without ${line}`),
        ...lacking(summary, 'inconsistent').map((line) => `  not at the same moment: ${line}`),
      ].join('\n');
    },
  );
  return ok ? EXIT.ok : EXIT.partial;
}

function lacking(summary: BackupResult['summary'], fidelity: 'missing' | 'inconsistent'): readonly string[] {
  const types = summary.types.filter((type) => type.fidelity === fidelity);
  return groupReasons(types.map((type) => ({ name: typeName(type), reason: type.reason ?? '' })));
}
