/** One state of a build: later ones replace earlier ones. */
export interface BuildProgress {
  /** What is being built: `control plane`. */
  readonly artifact: string;
  /** What is being done now: `compiling`. */
  readonly step: string;
  /** How far it is, for people: `512 of 1,897 packages`. */
  readonly detail?: string;
  readonly elapsedMs: number;
}

/** Told about every step of a build, often; whoever shows it decides how often. */
export type OnBuildProgress = (progress: BuildProgress) => void;

/** Milliseconds as people say it: `45 s`, `4 min 05 s`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** One line for a state of a build. */
export function formatBuildProgress({ artifact, step, detail, elapsedMs }: BuildProgress): string {
  return `${artifact}: ${step}${detail === undefined ? '' : `, ${detail}`} (${formatElapsed(elapsedMs)})`;
}

const LINE_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 100;

/**
 * Shows builds on a stream: one line that is rewritten on a terminal; elsewhere a line when a step begins
 * and every five seconds after.
 */
export function showBuildProgress(stream: NodeJS.WriteStream = process.stderr): OnBuildProgress {
  let step: string | undefined;
  let shownAt = -Infinity;
  return (progress) => {
    const current = `${progress.artifact}: ${progress.step}`;
    const pause = stream.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS;
    if (current === step && progress.elapsedMs - shownAt < pause) return;
    const begins = current !== step;
    step = current;
    shownAt = progress.elapsedMs;
    const line = formatBuildProgress(progress);
    if (!stream.isTTY) stream.write(`${line}\n`);
    else stream.write(`${begins ? '\n' : '\r\u001b[K'}${line}${progress.step === DONE ? '\n' : ''}`);
  };
}

/** The step reported last, when what was built is in its place. */
export const DONE = 'ready';
