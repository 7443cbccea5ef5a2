import { createHash } from 'node:crypto';
import { ruleById } from '../../adapt/catalogue.ts';
import type { DrillReport, Verdict } from '../report.ts';
import { ages } from './ages.ts';
import { checksPart } from './checks.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { STYLE } from './style.ts';
import { phaseTable, timeline } from './timeline.ts';
import { counted, duration, moment } from './words.ts';

/** What a page is made of: the report, and what proves it. */
export interface PageParts {
  readonly id: string;
  readonly report: DrillReport;
  /** The signed report, as it is in the vaults. */
  readonly signed: Uint8Array;
  /** Vaults that keep it. */
  readonly vaults: readonly string[];
  /** The report key's public half. */
  readonly reportPublicKey: Uint8Array;
}

const VERDICTS: Readonly<Record<Verdict, readonly [kind: string, mark: string]>> = { met: ['good', '✓ met'], missed: ['bad', '✗ missed'], unknown: ['plain', '○ no objective'] };

/**
 * The report of a drill as one HTML page that needs nothing else: no script, no font, no image from anywhere. Everything in it that came
 * from a cluster is escaped. The signed report itself is in it too.
 */
export function drillPage(parts: PageParts): string {
  const { report } = parts;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Disaster-recovery drill of ${report.plan}: ${report.ok ? 'passed' : 'failed'}, ${report.at.slice(0, 10)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Disaster-recovery drill of plan ${report.plan}</h1>
<p class="soft">Site ${report.site}. From ${moment(report.startedAt)} to ${moment(report.at)}.</p>
</header>
<main>
${verdict(report)}
${objectives(report)}
<section><h2>Checks</h2>
${report.checks.length === 0 ? html`<p>No check was reached.</p>` : checksPart(report.checks)}</section>
<section><h2>What this drill does not show</h2>
<ul>${report.notChecked.map((one) => html`<li>${one}</li>`)}</ul></section>
${restored(report)}
<section><h2>Recovery time</h2>
<p>${report.rto.seconds === undefined ? html`The drill did not get to its end.` : html`From nothing to a checked cluster: <strong>${duration(report.rto.seconds)}</strong>.`}</p>
${timeline(report.rto.phases)}
${phaseTable(report.rto.phases)}</section>
<section><h2>Recovery point</h2>
${recoveryPoint(report.rpo)}</section>
${differences(report)}
${warnings(report)}
${proof(parts)}
</main>
</body>
</html>
`.text;
}

function verdict({ ok, checks, failure, rto, rpo }: DrillReport): Html {
  const failed = checks.filter(({ outcome }) => outcome === 'failed').length;
  const reasons = [
    ...(failure === undefined ? [] : [`the drill ended in the phase “${failure.phase}”`]),
    ...(failed === 0 ? [] : [`${counted(failed, 'check')} failed`]),
    ...(rto.verdict === 'missed' ? ['the objective for the recovery time was missed'] : []),
    ...(rpo.verdict === 'missed' ? ['the objective for the recovery point was missed'] : []),
  ];
  const why = ok ? 'The point was restored, every check that could be made passed, and no objective was missed.' : `Because ${reasons.join(', and ')}.`;
  return html`<p class="verdict ${ok ? 'good' : 'bad'}" role="status"><strong>${ok ? '✓ Passed' : '✗ Failed'}</strong><span>${why}</span></p>
${failure !== undefined && html`<pre>${failure.code}: ${failure.message}</pre>`}`;
}

function objectives({ rto, rpo }: DrillReport): Html {
  const row = (name: string, measured: string, objective: number | undefined, result: Verdict): Html => {
    const [kind, mark] = VERDICTS[result];
    return html`<tr><th scope="row">${name}</th><td class="number">${measured}</td><td class="number">${duration(objective)}</td><td class="mark ${kind}">${mark}</td></tr>
`;
  };
  return html`<section><h2>Objectives</h2>
<table><thead><tr><th scope="col">Objective</th><th scope="col" class="number">Measured</th><th scope="col" class="number">Objective</th><th scope="col">Result</th></tr></thead><tbody>
${row('Recovery time (RTO): from nothing to a checked cluster', duration(rto.seconds), rto.objectiveSeconds, rto.verdict)}${row('Recovery point (RPO): the most that could have been lost', rpo.withoutSeconds > 0 ? `no safe point for ${duration(rpo.withoutSeconds)}` : duration(rpo.age?.max), rpo.objectiveSeconds, rpo.verdict)}</tbody></table></section>`;
}

function restored({ point, cluster, restore, repository }: DrillReport): Html {
  const row = (name: string, value: Html | string): Html => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>
`;
  const chosen = { newest: 'the newest safe one', random: 'a safe one, by chance', named: 'named by hand' }[point.chosen];
  const where = cluster.kind === 'control-plane' ? 'a control plane of its own, on the machine that ran the drill' : `the spare site ${cluster.name}`;
  const gone = cluster.kind === 'control-plane' ? 'It is gone.' : 'What the drill created in it is gone.';
  return html`<section><h2>What was restored</h2>
<table><tbody>
${row('Recovery point', html`<code>${point.id}</code>: ${chosen}`)}${row('It shows the site at', moment(point.at))}${row('Committed', moment(point.committedAt))}${row('Whole in', html`${point.vaults.join(', ') === '' ? 'no vault' : point.vaults.join(', ')} (${point.safe ? 'safe' : 'not safe'}: ${point.copies} needed)`)}${!point.complete && row('Complete', 'no: see the checks')}${row('Repository', html`<code>${repository}</code>`)}${row('Restored into', html`${where}, Kubernetes ${cluster.kubernetesVersion}${cluster.notRun.length > 0 && html`; not run: ${cluster.notRun.join(', ')}`}. ${cluster.removed ? gone : 'It was still there when this report was written.'}`)}</tbody></table>
${restore !== undefined && html`<table><caption>Objects by what became of them</caption><thead><tr>${outcomes(restore.outcomes).map(([name]) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead><tbody><tr>${outcomes(restore.outcomes).map(([, count]) => html`<td class="number">${count.toLocaleString('en')}</td>`)}</tr></tbody></table>
<p class="soft">Digest of the restore plan: <code>${restore.plan}</code></p>`}</section>`;
}

function outcomes(values: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(values);
}

/** What is not as in the point, and is not meant to be. */
function differences({ restore }: DrillReport): Html | false {
  const rows = Object.entries(restore?.rules ?? {}).toSorted(([a, left], [b, right]) => Number(isForDrills(b)) - Number(isForDrills(a)) || right - left);
  return rows.length > 0 && html`<section><h2>Intended differences</h2>
<p>Objects of the point that were changed on the way, or left out, and why. Rules that begin with “drill” make sure that nothing of the drill reaches anything outside; a real restore does not use them.</p>
<table><thead><tr><th scope="col">Rule</th><th scope="col" class="number">Objects</th><th scope="col">Why</th></tr></thead><tbody>
${rows.map(([name, count]) => html`<tr><th scope="row"><code>${name}</code></th><td class="number">${count.toLocaleString('en')}</td><td>${ruleById(name)?.why ?? ''}</td></tr>
`)}</tbody></table></section>`;
}

function isForDrills(rule: string): boolean {
  return ruleById(rule)?.effect === 'drill';
}

function recoveryPoint(rpo: DrillReport['rpo']): Html {
  const { age } = rpo;
  const row = (name: string, value: string): Html => html`<tr><th scope="row">${name}</th><td class="number">${value}</td></tr>
`;
  return html`<p>How old the newest safe point was, at every moment from ${moment(rpo.from)} to ${moment(rpo.to)}: as much would have been lost with the site. ${counted(rpo.points, 'safe point')} ${rpo.points === 1 ? 'was' : 'were'} looked at${rpo.estimated > 0 && html`; of ${rpo.estimated} that were removed since, the vaults know only when they were committed`}.</p>
${ages(rpo)}
<table><caption>Age of the newest safe point</caption><tbody>
${row('When the drill began', duration(rpo.nowSeconds))}${age !== undefined && [row('Mean', duration(age.mean)), row('Half of the time at most', duration(age.p50)), row('95% of the time at most', duration(age.p95)), row('99% of the time at most', duration(age.p99)), row('At most', duration(age.max))]}${rpo.overSeconds !== undefined && row('Time above the objective', duration(rpo.overSeconds))}${row('Time without any safe point', duration(rpo.withoutSeconds))}</tbody></table>`;
}

function warnings({ warnings: all }: DrillReport): Html | false {
  return all.length > 0 && html`<section><h2>Warnings</h2>
<ul>${all.map(({ message, where }) => html`<li>${message}${where !== undefined && html` <code class="soft">${where}</code>`}</li>`)}</ul></section>`;
}

/** What tells this report from one that somebody made up. */
function proof({ id, signed, vaults, reportPublicKey }: PageParts): Html {
  const text = Buffer.from(signed).toString('utf8');
  const signature = /\n\{"signature":"([0-9a-f]+)"\}\n$/.exec(text)?.[1] ?? '';
  const digest = createHash('sha256').update(signed).digest('hex');
  return html`<section><h2>Signature</h2>
<p>This page is made from a signed report. ${vaults.length === 0 ? 'No vault took it.' : html`It is kept as <code>reports/drill/${id}</code> in: ${vaults.join(', ')}.`} <code>lifeboat drill --reports</code> reads it back, and checks the signature with the repository’s own key.</p>
<table><tbody>
<tr><th scope="row">SHA-256 of the signed report</th><td><code>${digest}</code></td></tr>
<tr><th scope="row">Signature (Ed25519)</th><td><code>${signature}</code></td></tr>
<tr><th scope="row">Public report key</th><td><code>${Buffer.from(reportPublicKey).toString('hex')}</code></td></tr>
</tbody></table>
<p class="soft">The signature is over the line <code>lifeboat/1/drill</code>, a newline, and the first line of the signed report.</p>
<p><a download="drill-${id}.json" href="data:application/octet-stream;base64,${Buffer.from(signed).toString('base64')}">Save the signed report</a>, byte for byte.</p>
<details><summary>The signed report, to read</summary><pre id="signed-report">${text}</pre></details></section>`;
}
