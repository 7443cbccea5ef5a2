import type { CheckResult, Finding } from '../report.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { counted, duration } from './words.ts';

const MARKS = { passed: ['good', '✓ passed'], failed: ['bad', '✗ failed'], skipped: ['plain', '○ skipped'] } as const;

/** Every check with its outcome, and below what each found. */
export function checksPart(checks: readonly CheckResult[]): Html {
  const telling = checks.filter(({ findings, output }) => findings.length > 0 || output !== undefined);
  return html`<table><caption>Checks of the restored cluster</caption><thead><tr><th scope="col">Outcome</th><th scope="col">Check</th><th scope="col" class="number">Looked at</th><th scope="col" class="number">Failures</th><th scope="col" class="number">Took</th></tr></thead><tbody>
${checks.map(({ title, id, outcome, checked, failures, reason, seconds }) => {
  const [kind, mark] = MARKS[outcome];
  return html`<tr><td class="mark ${kind}">${mark}</td><td>${title} <code class="soft">${id}</code>${reason !== undefined && html`<br><span class="soft">${reason}</span>`}</td><td class="number">${checked.toLocaleString('en')}</td><td class="number">${failures.toLocaleString('en')}</td><td class="number">${duration(seconds)}</td></tr>
`;
})}</tbody></table>
${telling.map(({ title, findings, failures, output }) => html`<h3>${title}</h3>
${list(findings.filter(({ failure }) => failure), failures)}${notes(findings.filter(({ failure }) => !failure))}${output !== undefined && html`<pre>${output}</pre>`}
`)}`;
}

function list(findings: readonly Finding[], all: number): Html | false {
  return findings.length > 0 && html`<ul>${findings.map(item)}${all > findings.length && html`<li>and ${counted(all - findings.length, 'more failure')}</li>`}</ul>`;
}

function notes(findings: readonly Finding[]): Html | false {
  return findings.length > 0 && html`<p class="soft">Worth knowing, and no failure:</p><ul>${findings.map(item)}</ul>`;
}

function item({ object, message }: Finding): Html {
  return html`<li>${object !== '' && html`<code>${object}</code>: `}${message}</li>`;
}
