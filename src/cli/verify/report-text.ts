import type { Finding, Repair, VerifyReport } from '../../repository/api.ts';
import type { Style } from '../style.ts';
import { formatAge, formatBytes, formatCount, formatTable, plural } from '../text.ts';

const DEPTH = {
  structure: 'structure only: --data reads every byte',
  data: 'every byte, unopened: with a key that opens the repository contents are checked as well',
  'data-opened': 'every byte, opened',
} as const;

/** What a verification is told as. */
export interface VerifyOutcome {
  readonly report: VerifyReport;
  readonly unopened: readonly string[];
  readonly seconds: number;
  /** Findings that are still so. */
  readonly remaining: readonly Finding[];
  readonly dryRun: boolean;
}

/** The result of `lifeboat verify` for people. */
export function reportText(outcome: VerifyOutcome, style: Style, now: number): string {
  const { report, unopened, remaining } = outcome;
  const table = formatTable(
    [
      { title: 'vault' },
      { title: 'objects', right: true },
      { title: 'read', right: true },
      { title: 'points', right: true },
      { title: 'intact', right: true },
      { title: 'all read since', right: true },
    ],
    report.vaults.map((vault) => [
      vault.name,
      formatCount(vault.objects),
      formatBytes(vault.bytesRead),
      formatCount(vault.points),
      formatCount(vault.intactPoints),
      vault.fullyVerified === undefined ? '' : `${formatAge(now - Date.parse(vault.fullyVerified))} ago`,
    ]),
  );
  const findings = (report.repairs === undefined ? report.findings : []).map(
    ({ vault, object, kind, message, points }) => `${style.red(kind)}  vault ${vault}, ${object === '' ? 'the whole vault' : object}: ${message}${touched(points)}`,
  );
  const others = report.repairs === undefined ? [] : remaining.filter((finding) => !report.repairs?.some((repair) => isAbout(repair, finding)));
  const leavings = report.unreferenced === 0 ? [] : [`${plural(report.unreferenced, 'object')} that no point needs, left by interrupted backups or removed points: harmless`];
  return [
    table,
    '',
    `checked: ${DEPTH[report.depth]}`,
    ...dataText(outcome),
    ...leavings,
    ...unopened.map((name) => `${style.red('unreachable')}  vault ${name} could not be opened`),
    ...findings,
    ...(report.repairs ?? []).map((repair) => repairText(repair, style)),
    ...others.map(({ vault, object, kind, message, points }) => `${style.red(kind)}  vault ${vault}, ${object === '' ? 'the whole vault' : object}: ${message}${touched(points)}`),
    conclusion(outcome, style),
  ].join('\n');
}

function dataText({ report: { data }, seconds }: VerifyOutcome): string[] {
  if (data === undefined) return [];
  const part = data.objects < data.totalObjects ? `, ${plural(data.objects, 'object')} of ${formatCount(data.totalObjects)}; the next run goes on from there` : '';
  const rate = seconds > 0 ? ` (${formatBytes(data.bytes / seconds)}/s)` : '';
  return [`read: ${formatBytes(data.bytes)} of ${formatBytes(data.totalBytes)}${rate}${part}`];
}

function repairText({ vault, object, outcome, from, message, points }: Repair, style: Style): string {
  const mark = outcome === 'healed' ? style.green(outcome) : outcome === 'possible' ? style.yellow('can be healed') : style.red(outcome);
  const source = from !== undefined && (outcome === 'healed' || outcome === 'possible') ? ` from vault ${from}` : '';
  return `${mark}  vault ${vault}, ${object}${source}${message === undefined ? '' : `: ${message}`}${outcome === 'healed' ? '' : touched(points)}`;
}

function touched(points: readonly string[]): string {
  if (points.length === 0) return '';
  return ` (needed by ${plural(points.length, 'point')}: ${points.slice(0, 3).join(', ')}${points.length > 3 ? ', …' : ''})`;
}

function conclusion({ report, remaining, unopened, dryRun }: VerifyOutcome, style: Style): string {
  const broken = remaining.length + unopened.length;
  if (report.findings.length + unopened.length === 0) return style.green('nothing is missing, damaged or forged');
  if (report.repairs === undefined) return style.red(plural(broken, 'finding'));
  if (broken === 0) return style.green('everything that was wrong is healed');
  const possible = report.repairs.filter(({ outcome }) => outcome === 'possible').length;
  return style.red(dryRun ? `${plural(broken, 'finding')}; ${formatCount(possible)} can be healed, nothing was changed` : `${plural(broken, 'finding')} remain${broken === 1 ? 's' : ''}`);
}

/** Whether a repair is about the object of a finding. */
export function isAbout(repair: Repair, { vault, object }: Finding): boolean {
  return repair.vault === vault && repair.object === object;
}
