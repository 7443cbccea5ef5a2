import { formatDuration } from '../../core/duration.ts';
import type { RestoreReport } from '../../pipeline/restore/report.ts';
import type { Style } from '../style.ts';
import { formatCount, plural } from '../text.ts';

/** Failures shown one by one; `--json` has them all. */
const SHOWN_FAILURES = 50;
/** Objects named that were left as they are; `--json` has them all. */
const NAMED_KEPT = 10;
/** Rules named; `--json` has them all. */
const NAMED_RULES = 6;

function droppedLine({ dropped }: RestoreReport): string[] {
  const rules = Object.entries(dropped).toSorted(([, a], [, b]) => b - a);
  if (rules.length === 0) return [];
  const named = rules.slice(0, NAMED_RULES).map(([rule, count]) => `${rule} ${formatCount(count)}`);
  return [`  dropped, because the target makes its own or they belong to the old cluster alone: ${named.join(', ')}${rules.length > named.length ? ', …' : ''} (docs/restore.md)`];
}

/** Objects that differ from the backup because they were left alone are not compared again: they are named here. */
function keptLines({ kept }: RestoreReport): string[] {
  if (kept.length === 0) return [];
  const named = kept.slice(0, NAMED_KEPT).map(({ object, reason }) => `    ${object}: ${reason}`);
  const more = kept.length > NAMED_KEPT ? [`    and ${formatCount(kept.length - NAMED_KEPT)} more: --json has them all`] : [];
  return [`  ${formatCount(kept.length)} kept as they are (different); --existing update makes them as in the point:`, ...named, ...more];
}

/** What a restore did, for people. */
export function reportText(report: RestoreReport, style: Style): string {
  const outcomes = Object.entries(report.objects).filter(([, count]) => count > 0);
  const width = Math.max(1, ...outcomes.map(([, count]) => formatCount(count).length));
  const { verify, workloads } = report;
  return [
    `${report.ok ? style.green('restored') : style.yellow('restored, but not everything')}: ${report.source} (${report.at}) into ${report.target}`,
    ...outcomes.map(([outcome, count]) => `  ${formatCount(count).padStart(width)}  ${outcome}`),
    ...droppedLine(report),
    ...(verify === undefined ? [] : [`  compared ${plural(verify.checked, 'object')}: ${formatCount(verify.equal)} equal, ${formatCount(verify.different)} different, ${formatCount(verify.missing)} missing`]),
    ...(verify?.details ?? []).map((detail) => `    ${style.yellow('differs')} ${detail.object}: ${detail.differences.map((one) => one.path).join(', ')}`),
    ...keptLines(report),
    ...(workloads === undefined ? [] : [`  ${plural(workloads.ready, 'workload')} ready, ${formatCount(workloads.notReadyCount)} not${workloads.notReadyCount > 0 ? `: ${workloads.notReady.join(', ')}` : ''}`]),
    ...report.failures.slice(0, SHOWN_FAILURES).map(({ object, outcome, reason }) => `  ${style.red(outcome)} ${object}: ${reason}`),
    ...(report.failures.length > SHOWN_FAILURES ? [`  and ${formatCount(report.failures.length - SHOWN_FAILURES)} more: --json has them all`] : []),
    `  in ${formatDuration(report.seconds * 1000)}: ${report.phases.map(({ name, seconds }) => `${name} ${formatDuration(seconds * 1000)}`).join(', ')}`,
    ...(report.ok ? [] : ['  Put right what is named above and start the same restore again: it goes on from here.']),
  ].join('\n');
}
