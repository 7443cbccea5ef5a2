import type { DrillReport } from '../report.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { duration } from './words.ts';

type Curve = DrillReport['rpo']['curve'];

const WIDTH = 900;
const HEIGHT = 260;
const LEFT = 90;
const RIGHT = 20;
const TOP = 16;
const BOTTOM = 36;
/** Room above the highest value. */
const HEADROOM = 1.1;
const TICKS = 4;

/** How old the newest safe point was over time, with the objective as a line across. */
export function ages({ curve, from, to, objectiveSeconds, age, withoutSeconds }: DrillReport['rpo']): Html {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const most = Math.max(age?.max ?? 0, objectiveSeconds ?? 0, 1) * HEADROOM;
  const x = (iso: string): number => round(LEFT + ((Date.parse(iso) - begin) / Math.max(end - begin, 1)) * (WIDTH - LEFT - RIGHT));
  const y = (seconds: number): number => round(HEIGHT - BOTTOM - (seconds / most) * (HEIGHT - TOP - BOTTOM));
  const pieces = piecesOf(curve);
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => (most / TICKS) * index);
  const told = `The newest safe point was at most ${duration(age?.max)} old${objectiveSeconds === undefined ? '' : `; the objective is ${duration(objectiveSeconds)}`}${withoutSeconds > 0 ? `; for ${duration(withoutSeconds)} there was none` : ''}.`;
  return html`<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="rpo-title rpo-text">
<title id="rpo-title">Age of the newest safe point over time</title><desc id="rpo-text">${told}</desc>
${ticks.map((tick) => html`<line class="grid" x1="${LEFT}" y1="${y(tick)}" x2="${WIDTH - RIGHT}" y2="${y(tick)}"/><text class="soft" x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${duration(tick)}</text>
`)}
${gapsOf(curve, to).map((gap) => html`<rect class="none" x="${x(gap.from)}" y="${TOP}" width="${Math.max(1.5, x(gap.to) - x(gap.from))}" height="${HEIGHT - TOP - BOTTOM}"/><text class="soft" x="${x(gap.from) + 4}" y="${TOP + 14}">no safe point</text>
`)}
${pieces.map((piece) => {
  const line = piece.map(({ at, ageSeconds }) => `${x(at)},${y(ageSeconds)}`).join(' ');
  const [first, last] = [piece[0]?.at ?? from, piece.at(-1)?.at ?? to];
  return html`<polygon class="area" points="${x(first)},${y(0)} ${line} ${x(last)},${y(0)}"/><polyline class="line" points="${line}"/>
`;
})}
${objectiveSeconds !== undefined && html`<line class="limit" x1="${LEFT}" y1="${y(objectiveSeconds)}" x2="${WIDTH - RIGHT}" y2="${y(objectiveSeconds)}"/><text x="${LEFT + 6}" y="${y(objectiveSeconds) - 5}">objective: ${duration(objectiveSeconds)}</text>`}
<text class="soft" x="${LEFT}" y="${HEIGHT - 12}">${short(from)}</text><text class="soft" x="${WIDTH - RIGHT}" y="${HEIGHT - 12}" text-anchor="end">${short(to)}</text>
</svg></figure>`;
}

interface Corner {
  readonly at: string;
  readonly ageSeconds: number;
}

/** The line, broken where there was no safe point. */
function piecesOf(curve: Curve): Corner[][] {
  const pieces: Corner[][] = [[]];
  for (const { at, ageSeconds } of curve) {
    if (ageSeconds === null) pieces.push([]);
    else pieces.at(-1)?.push({ at, ageSeconds });
  }
  return pieces.filter((piece) => piece.length > 0);
}

function gapsOf(curve: Curve, end: string): { readonly from: string; readonly to: string }[] {
  return curve.flatMap(({ at, ageSeconds }, index) => (ageSeconds === null ? [{ from: at, to: curve[index + 1]?.at ?? end }] : []));
}

const short = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
const round = (value: number): number => Math.round(value * 10) / 10;
