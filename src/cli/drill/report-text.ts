import { formatDuration } from '../../core/duration.ts';
import type { FinishedDrill } from '../../drill/drill.ts';
import type { CheckResult, DrillReport, Verdict } from '../../drill/report.ts';
import type { BadReport, FoundReport } from '../../repository/index.ts';
import type { Style } from '../style.ts';
import { formatAge, formatTable, plural } from '../text.ts';

/** Findings shown of one check; the report has more. */
const MOST_FINDINGS = 10;

/** The result of `lifeboat drill` for people. */
export function reportText({ id, report, vaults }: Pick<FinishedDrill, 'id' | 'report' | 'vaults'>, style: Style, page: string | undefined): string {
  const { point, cluster, failure, checks, rto, rpo } = report;
  const where = cluster.kind === 'control-plane' ? `a control plane of its own (Kubernetes ${cluster.kubernetesVersion})` : `site ${cluster.name} (Kubernetes ${cluster.kubernetesVersion})`;
  return [
    `drill of ${report.plan}: point ${point.id}, ${point.safe ? 'safe' : style.red('not safe')}, into ${where}`,
    ...(cluster.notRun.length === 0 ? [] : [`  not run: ${cluster.notRun.join(', ')}`]),
    '',
    ...(failure === undefined ? [] : [`${style.red('failed')}  in the phase ${failure.phase}: ${failure.message} (${failure.code})`]),
    ...checks.flatMap((check) => checkLines(check, style)),
    '',
    `recovery time   ${rto.seconds === undefined ? 'not known' : formatDuration(rto.seconds * 1000)}${objective(rto.objectiveSeconds, rto.verdict, style)}`,
    `  ${rto.phases.map(({ name, seconds }) => `${name} ${formatDuration(seconds * 1000)}`).join(', ')}`,
    `recovery point  ${ageText(rpo)}${objective(rpo.objectiveSeconds, rpo.verdict, style)}`,
    '',
    vaults.length === 0 ? style.red('no vault took the report') : `report ${id}, in ${vaults.join(', ')}`,
    ...(page === undefined ? [] : [`page ${page}`]),
    report.ok ? style.green('the drill passed') : style.red('the drill failed'),
  ].join('\n');
}

function checkLines({ id, title, outcome, checked, failures, findings, reason }: CheckResult, style: Style): string[] {
  const dress = { passed: style.green, failed: style.red, skipped: style.yellow }[outcome];
  const count = outcome === 'skipped' ? (reason ?? '') : outcome === 'failed' ? `${failures} of ${checked}` : `${checked}`;
  const shown = findings.filter(({ failure }) => failure).slice(0, MOST_FINDINGS);
  const more = failures - shown.length;
  return [
    `${dress(outcome.padEnd(7))}  ${id === 'custom' ? title : id.padEnd(14)}  ${count}`,
    ...shown.map(({ object, message }) => `         ${object === '' ? '' : `${object}: `}${message}`),
    ...(more > 0 && outcome === 'failed' ? [`         and ${more} more`] : []),
  ];
}

function objective(seconds: number | undefined, verdict: Verdict, style: Style): string {
  if (seconds === undefined) return '';
  const dress = verdict === 'missed' ? style.red : style.green;
  return `, objective ${formatDuration(seconds * 1000)}: ${dress(verdict)}`;
}

function ageText({ age, nowSeconds, withoutSeconds, from }: DrillReport['rpo']): string {
  if (age === undefined || nowSeconds === undefined) return 'no safe point';
  const without = withoutSeconds > 0 ? `, none for ${formatDuration(withoutSeconds * 1000)}` : '';
  return `at most ${formatDuration(age.max * 1000)} old since ${from.slice(0, 16).replace('T', ' ')} UTC, ${formatDuration(nowSeconds * 1000)} now${without}`;
}

/** What `lifeboat drill --dry-run` says. */
export function dryRunText({ point, rpo }: { readonly point: DrillReport['point']; readonly rpo: DrillReport['rpo'] }): string {
  return [`would restore point ${point.id}, which shows the site at ${point.at}: ${point.safe ? 'safe' : 'not safe'}, whole in ${point.vaults.join(', ') || 'no vault'}`, `newest safe point: ${ageText(rpo)}`, 'nothing was started or written'].join('\n');
}

/** What `lifeboat drill --reports` says. */
export function reportsText(reports: readonly FoundReport<DrillReport>[], bad: readonly BadReport[], style: Style): string {
  if (reports.length === 0 && bad.length === 0) return 'no drill yet';
  const rows = reports.map(({ id, report, vaults }) => [
    id.slice(0, 16),
    `${formatAge(Date.now() - Date.parse(report.at))} ago`,
    report.ok ? 'passed' : 'failed',
    report.rto.seconds === undefined ? '' : formatDuration(report.rto.seconds * 1000),
    report.rpo.age === undefined ? '' : formatDuration(report.rpo.age.max * 1000),
    report.point.id,
    vaults.join(', '),
  ]);
  const titles = ['report', 'when', 'result', 'recovery time', 'oldest', 'point', 'vaults'].map((title) => ({ title }));
  return [
    formatTable(titles, rows),
    '',
    `${plural(reports.length, 'drill')}, ${reports.filter(({ report }) => report.ok).length} passed`,
    ...bad.map(({ id, vault, problem }) => `${style.red('forged')}  vault ${vault}, reports/drill/${id}: ${problem}`),
  ].join('\n');
}
