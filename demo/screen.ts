/** The demo on a terminal: lines as things happen, and the closing page. */
import pc from 'picocolors';
import type { DemoReport } from './report.ts';

/** Tells the story while it happens. Silent when the report is wanted as JSON. */
export interface Teller {
  /** Something happened. `lines` are details below the headline. */
  tell(headline: string, ...lines: string[]): void;
  /** Something bad was prevented. */
  refused(headline: string, ...lines: string[]): void;
  /** Something bad happened, on purpose. */
  disaster(headline: string, ...lines: string[]): void;
  /** Something slow begins: shown at once, so that nobody wonders. */
  waiting(what: string): void;
}

export const silent: Teller = { tell: () => {}, refused: () => {}, disaster: () => {}, waiting: () => {} };

export function terminalTeller(write: (line: string) => void): Teller {
  const clock = (): string => pc.dim(new Date().toLocaleTimeString('en-GB'));
  const say = (mark: string, headline: string, lines: readonly string[]): void => {
    write(`  ${clock()}  ${mark} ${headline}`);
    for (const line of lines) write(`              ${pc.dim(line)}`);
  };
  return {
    tell: (headline, ...lines) => say(pc.green('●'), headline, lines),
    refused: (headline, ...lines) => say(pc.yellow('■'), headline, lines),
    disaster: (headline, ...lines) => say(pc.red('✗'), pc.bold(headline), lines),
    waiting: (what) => say(pc.dim('…'), pc.dim(what), []),
  };
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1_000_000) return `${(value / 1000).toFixed(1)} kB`;
  return `${(value / 1_000_000).toFixed(1)} MB`;
}

/** The closing page. */
export function closingPage(report: DemoReport): string {
  const row = (label: string, text: string): string => `  ${pc.bold(label.padEnd(12))}${text}`;
  const more = (text: string): string => `  ${' '.repeat(12)}${pc.dim(text)}`;
  const rule = pc.dim(`  ${'─'.repeat(78)}`);
  const lost = report.lostObjects;
  const [firstCloud = '', ...otherClouds] = cloudLines(report);
  const lines = [
    '',
    rule,
    row('Clouds', firstCloud),
    ...otherClouds.map((line) => `  ${' '.repeat(12)}${line}`),
    row('RPO', `${seconds(report.rpoSeconds)}  ${pc.dim('age of the newest point when the site was lost')}`),
    more(lost.length === 0 ? 'no object was written after the last point' : `${count(lost.length)} objects written after the last point are gone: ${lost.slice(0, 2).join(', ')}${lost.length > 2 ? ' …' : ''}`),
    row('RTO', `${seconds(report.rtoSeconds)}  ${pc.dim('from the loss to the restored, verified site')}`),
    ...phaseBars(report).map((line) => `  ${' '.repeat(12)}${line}`),
    row('Objects', outcomeLine(report.objects)),
    ...topReasons(report).map(more),
    row('Compared', comparisonLine(report)),
    ...report.comparison.examples.slice(0, 5).map(more),
    ...report.failures.slice(0, 5).map((failure) => more(pc.red(failure))),
    rule,
    report.ok ? `  ${pc.green(pc.bold('It came back.'))} ${pc.dim('Every object accounted for; the next page of the story is yours: npx lifeboat init --help')}` : `  ${pc.red(pc.bold('It did not all hold.'))} See above.`,
    '',
  ];
  return lines.join('\n');
}

/** What stood where, and what is left of it: a line for each cloud, and one for what is in none. */
function cloudLines({ vaults, keys, site, restoredIn }: DemoReport): string[] {
  const gone = (text: string): string => pc.red(`✗ ${text}`);
  const left = (text: string): string => `${pc.green('●')} ${text}`;
  const clouds = [...new Set(vaults.map(({ cloud }) => cloud))];
  const lines = clouds.map((cloud) => {
    const things = [
      ...(cloud === site.cloud ? [gone('the site')] : []),
      ...vaults.filter((vault) => vault.cloud === cloud).map((vault) => (vault.fate === 'survived' ? left(`vault ${vault.name}, ${vault.points} points (${vault.product})`) : gone(`vault ${vault.name} (${vault.product})`))),
      ...keys.filter((key) => key.cloud === cloud).map(({ kind }) => gone(`key ${kind}`)),
      ...(cloud === restoredIn ? [left(pc.bold('the site again'))] : []),
    ];
    return `${pc.bold(cloud.padEnd(9))}${things.join('   ')}`;
  });
  return [...lines, `${'nowhere'.padEnd(9)}${keys.filter(({ cloud }) => cloud === null).map(({ kind }) => left(`key ${kind}: a person keeps it, and it opened everything`)).join('   ')}`];
}

function phaseBars(report: DemoReport): string[] {
  const longest = Math.max(...report.phases.map((phase) => phase.seconds), 0.001);
  const width = Math.max(...report.phases.map((phase) => phase.name.length));
  return report.phases.map((phase) => {
    const bar = '▇'.repeat(Math.max(1, Math.round((phase.seconds / longest) * 28)));
    return `${phase.name.padEnd(width)}  ${pc.cyan(bar.padEnd(28))} ${pc.dim(`${phase.seconds.toFixed(2)} s`)}`;
  });
}

function outcomeLine(objects: DemoReport['objects']): string {
  return Object.entries(objects)
    .filter(([, value]) => value > 0)
    .map(([outcome, value]) => (outcome === 'failed' || outcome === 'conflict' ? pc.red(`${count(value)} ${outcome}`) : `${count(value)} ${outcome}`))
    .join(pc.dim(' · '));
}

function topReasons(report: DemoReport): string[] {
  const reasons = Object.entries(report.leftOut).sort((a, b) => b[1] - a[1]);
  const shown = reasons.slice(0, 3).map(([reason, value]) => `${count(value)} left out: ${reason}`);
  return reasons.length > 3 ? [...shown, `and ${count(reasons.length - 3)} more reasons (--json has them all)`] : shown;
}

function comparisonLine(report: DemoReport): string {
  const { differences, missingFromListing } = report.comparison;
  if (differences === 0 && missingFromListing.length === 0) return `${pc.green('no differences')} ${pc.dim('between the restored site and the point, nor to a plain listing taken before the loss')}`;
  return pc.red(`${count(differences)} differences, ${count(missingFromListing.length)} objects of the listing missing`);
}
