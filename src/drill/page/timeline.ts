import type { PhaseTime } from '../report.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { counted, duration, phaseName } from './words.ts';

interface Row {
  readonly label: string;
  readonly from: number;
  readonly seconds: number;
  readonly part: boolean;
}

const WIDTH = 900;
const LEFT = 260;
const RIGHT = 90;
const ROW = 22;
const TOP = 8;

/** The phases one below the other, each where it was in time. */
export function timeline(phases: readonly PhaseTime[]): Html {
  const rows = rowsOf(phases);
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const scale = (WIDTH - LEFT - RIGHT) / Math.max(total, 0.001);
  const height = TOP * 2 + rows.length * ROW;
  const told = phases.map(({ name, seconds }) => `${phaseName(name)}: ${duration(seconds)}`).join('. ');
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="rto-title rto-text">
<title id="rto-title">How long each phase took</title><desc id="rto-text">${told}. Together ${duration(total)}.</desc>
<line class="grid" x1="${LEFT}" y1="${TOP}" x2="${LEFT}" y2="${height - TOP}"/>
${rows.map(({ label, from, seconds, part }, index) => {
  const y = TOP + index * ROW;
  const x = LEFT + from * scale;
  const width = Math.max(1.5, seconds * scale);
  return html`<text class="${part ? 'soft' : 'name'}" x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${label}</text><rect class="${part ? 'part' : 'bar'}" x="${round(x)}" y="${y + (part ? 6 : 3)}" width="${round(width)}" height="${part ? 10 : 16}"/><text class="soft" x="${round(x + width + 6)}" y="${y + 15}">${duration(seconds)}</text>
`;
})}</svg></figure>`;
}

/** The same in figures. */
export function phaseTable(phases: readonly PhaseTime[]): Html {
  return html`<table><caption>Phases</caption><thead><tr><th scope="col">Phase</th><th scope="col" class="number">Took</th></tr></thead><tbody>
${phases.map(({ name, seconds, parts = [] }) => html`<tr><th scope="row">${phaseName(name)}</th><td class="number">${duration(seconds)}</td></tr>
${parts.map((part) => html`<tr><td>– ${part.name}, ${counted(part.objects, 'object')}</td><td class="number">${duration(part.seconds)}</td></tr>
`)}`)}</tbody></table>`;
}

function rowsOf(phases: readonly PhaseTime[]): Row[] {
  const rows: Row[] = [];
  let from = 0;
  for (const { name, seconds, parts = [] } of phases) {
    rows.push({ label: phaseName(name), from, seconds, part: false });
    let within = from;
    for (const part of parts) {
      rows.push({ label: part.name, from: within, seconds: part.seconds, part: true });
      within += part.seconds;
    }
    from += seconds;
  }
  return rows;
}

const round = (value: number): number => Math.round(value * 10) / 10;
