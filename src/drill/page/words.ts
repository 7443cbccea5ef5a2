import { formatDuration } from '../../core/duration.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';

/** `3 min 05 s`; `—` where there is nothing. */
export function duration(seconds: number | undefined): string {
  return seconds === undefined ? '—' : formatDuration(seconds * 1000);
}

/** `2026-11-26 14:44:22 UTC`. */
export function moment(iso: string): Html {
  const shown = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return html`<time datetime="${iso}">${shown}</time>`;
}

/** `1 object`, `2 objects`. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

/** What the phases of a drill are, in words. */
const PHASES: ReadonlyMap<string, string> = new Map([
  ['choose', 'Look at the points of every vault'],
  ['start', 'Start the cluster'],
  ['open', 'Open the point'],
  ['load', 'Read what rules need to know'],
  ['discover', 'Ask the cluster what it serves'],
  ['plan', 'Plan'],
  ['apply', 'Write, wave by wave'],
  ['wait', 'Wait for workloads'],
  ['verify', 'Read again and compare'],
  ['checks', 'Check'],
  ['restore', 'Restore (not finished)'],
]);

export function phaseName(name: string): string {
  return PHASES.get(name) ?? name;
}
