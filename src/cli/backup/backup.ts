import type { PlanConfig } from '../../config/schema.ts';
import { formatDuration, parseDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/error-codes.ts';
import type { BackupResult } from '../../pipeline/backup.ts';
import { copiesOf } from '../../placement/copies.ts';
import { refuseBrokenPromise } from '../../placement/refuse.ts';
import type { CopiesOptions } from '../../repository/api.ts';
import { typeName } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { withLock } from '../../vault/locking.ts';
import { loadWriteKey } from '../key-files.ts';
import { asSelection } from '../selection.ts';
import { connectChosen } from '../sites.ts';
import { formatBytes, plural } from '../text.ts';
import { groupReasons } from '../warning-groups.ts';
import { chosenVaults, closeVaults, openVaults } from '../vaults.ts';

/** `lifeboat backup`: one recovery point of a plan. Exit 3 when something is missing from it, or when it is not safe. */
export async function backup(context: Context, planName: string | undefined): Promise<number> {
  const { name, plan, config } = await context.plan(planName);
  const { output, signal } = context;
  refuseBrokenPromise(config, name, plan);
  const began = performance.now();
  const writeKey = await loadWriteKey(context);
  const configs = await chosenVaults(context, {}, plan.vaults);
  const opened = await openVaults(context, configs);
  const lock = plan.lock === undefined ? undefined : parseDuration(plan.lock);
  const vaults = lock === undefined ? opened : opened.map((vault) => withLock(vault, lock));
  try {
    const [pipeline, { openWriter }] = await Promise.all([import('../../pipeline/backup.ts'), import('../../repository/index.ts')]);
    const writer = await openWriter({ vaults, writeKey, ...copiesOptions(plan), signal, onWarning: output.warn });
    const connection = await connectChosen(context, { site: plan.site });
    try {
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
      return await report(context, { plan: name, seconds: (performance.now() - began) / 1000, absent, ...result });
    } finally {
      await connection.close();
      await writer.close();
    }
  } finally {
    await closeVaults(vaults);
  }
}

/** How the plan wants its vaults treated. */
function copiesOptions(plan: PlanConfig): CopiesOptions {
  const { memoryMiB, patience } = plan.slowVaults ?? {};
  return {
    copies: copiesOf(plan),
    memory: memoryMiB === undefined ? undefined : memoryMiB * 1024 * 1024,
    patience: patience === undefined ? undefined : parseDuration(patience),
  };
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
