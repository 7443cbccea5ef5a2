import { formatDuration } from '../core/duration.ts';
import type { OnProgress, Progress } from '../core/progress.ts';
import type { Style } from './style.ts';
import { formatBytes, formatCount, plural } from './text.ts';

/** How progress is shown: `live` rewrites a block of lines on a terminal, `lines` prints one now and then, `none` nothing. */
export type ProgressMode = 'live' | 'lines' | 'none';

export interface ProgressOptions {
  readonly mode: ProgressMode;
  /** Writes to stderr. */
  readonly write: (text: string) => void;
  readonly style: Style;
  /** Characters in a line of the terminal, asked for each time. */
  readonly columns?: () => number;
  /** Milliseconds of a clock that only moves forward. */
  readonly now?: () => number;
}

/** How often things are shown, ms. */
const REDRAW = 100;
const FIRST_LINE = 3000;
const NEXT_LINE = 10_000;
/** Rates are of the last moments, not since the beginning: ms. */
const RATE_WINDOW = 8000;

interface Phase {
  readonly startedAt: number;
  latest: Progress;
  /** What was done when, for the rate. */
  samples: { at: number; done: number; bytes: number }[];
  endedAt: number | undefined;
  lastLineAt: number;
}

/**
 * Shows how far long work is, on stderr. One line a phase: what is done, how fast, how long still.
 * Everything else that is written to the terminal meanwhile must go through `interrupt`.
 */
export class ProgressView {
  readonly #options: Required<ProgressOptions>;
  readonly #phases = new Map<string, Phase>();
  #drawnLines = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.#options = { columns: () => 80, now: () => performance.now(), ...options };
  }

  /** To be handed to whatever works. */
  readonly report: OnProgress = (progress) => {
    if (this.#options.mode === 'none') return;
    const now = this.#options.now();
    const phase = this.#update(progress, now);
    if (this.#options.mode === 'lines') this.#line(progress.phase, phase, now);
    else this.#draw(now);
  };

  /** Writes something else to the terminal without the block of lines getting in its way. */
  interrupt(write: () => void): void {
    this.#clear();
    write();
    if (this.#phases.size > 0 && this.#options.mode === 'live') this.#drawNow(this.#options.now());
  }

  /**
   * The work is over: the last state of every phase stays on a terminal; without one only states known to be final
   * are written. Anything reported later begins anew.
   */
  finish(): void {
    const now = this.#options.now();
    for (const phase of this.#phases.values()) {
      if (phase.endedAt !== undefined) continue;
      // What was told last need not be all that was done, and a line that looks final would contradict the result.
      if (this.#options.mode === 'lines') continue;
      phase.endedAt = now;
    }
    if (this.#options.mode === 'live' && this.#phases.size > 0) this.#drawNow(now);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#phases.clear();
    this.#drawnLines = 0;
  }

  #update(progress: Progress, now: number): Phase {
    let phase = this.#phases.get(progress.phase);
    // A phase that begins again (a cut that restarts at a newer revision) is timed anew.
    // What ends a phase may count less than was told on the way (pairs, where both sides were counted).
    if (phase === undefined || (progress.done < phase.latest.done && !isComplete(progress))) {
      phase = { startedAt: now, latest: progress, samples: [], endedAt: undefined, lastLineAt: now - NEXT_LINE + FIRST_LINE };
      this.#phases.set(progress.phase, phase);
    }
    phase.latest = progress;
    const last = phase.samples.at(-1);
    if (last === undefined || now - last.at >= REDRAW) {
      phase.samples.push({ at: now, done: progress.done, bytes: progress.bytes ?? 0 });
      phase.samples = phase.samples.filter((sample) => now - sample.at <= RATE_WINDOW);
    }
    return phase;
  }

  #line(name: string, phase: Phase, now: number): void {
    const complete = isComplete(phase.latest);
    if (complete && phase.endedAt === undefined) phase.endedAt = now;
    else if (complete || now - phase.lastLineAt < NEXT_LINE) return;
    phase.lastLineAt = now;
    this.#options.write(`${this.#describe(name, phase, now)}\n`);
  }

  #draw(now: number): void {
    if (now - this.#drawnAt >= REDRAW) this.#drawNow(now);
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        if (this.#phases.size > 0) this.#drawNow(this.#options.now());
      }, REDRAW).unref();
  }

  #drawNow(now: number): void {
    this.#drawnAt = now;
    const width = this.#options.columns() - 1;
    const lines = [...this.#phases].map(([name, phase]) => {
      const complete = isComplete(phase.latest);
      if (complete) phase.endedAt ??= now;
      else if (phase.endedAt !== undefined && phase.latest.total !== undefined) phase.endedAt = undefined;
      return this.#describe(name, phase, now).slice(0, width);
    });
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : '';
    this.#options.write(`${up}${lines.map((line) => `\r\u001b[2K${this.#options.style.dim(line)}\n`).join('')}`);
    this.#drawnLines = lines.length;
  }

  #clear(): void {
    if (this.#drawnLines === 0) return;
    this.#options.write(`\u001b[${this.#drawnLines}A\r\u001b[0J`);
    this.#drawnLines = 0;
  }

  #describe(name: string, phase: Phase, now: number): string {
    const { done, total, unit, bytes, detail } = phase.latest;
    const elapsed = (phase.endedAt ?? now) - phase.startedAt;
    const parts = [name.padEnd(9), amount(done, total, unit)];
    if (bytes !== undefined && unit !== 'bytes') parts.push(formatBytes(bytes));
    if (phase.endedAt !== undefined) {
      parts.push(`in ${formatDuration(elapsed)}`);
      return parts.join('  ');
    }
    const rate = rateOf(phase, now);
    if (rate > 0) parts.push(unit === 'bytes' ? `${formatBytes(rate)}/s` : `${formatCount(rate)}/s`);
    if (total !== undefined && total > done && rate > 0) {
      parts.push(`${Math.floor((done / total) * 100)}%`, `${formatDuration(((total - done) / rate) * 1000)} left`);
    }
    if (detail !== undefined) parts.push(detail);
    return parts.join('  ');
  }
}

function isComplete({ done, total }: Progress): boolean {
  return total !== undefined && done >= total;
}

function amount(done: number, total: number | undefined, unit: Progress['unit']): string {
  if (unit === 'bytes') return total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
  if (total !== undefined) return `${formatCount(done)} of ${formatCount(total)} ${unit}`;
  return plural(done, unit.replace(/s$/, ''));
}

/** Units a second over the last moments. */
function rateOf(phase: Phase, now: number): number {
  const first = phase.samples[0];
  if (first === undefined || now - first.at < REDRAW) return 0;
  return ((phase.latest.done - first.done) / (now - first.at)) * 1000;
}
