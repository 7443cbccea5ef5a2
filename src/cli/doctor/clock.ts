import { formatDuration } from '../../core/duration.ts';
import type { Finding } from './finding.ts';

/** S3 refuses requests signed more than 15 minutes off; points are sorted by time long before that matters, ms. */
const WORRYING = 30_000;
const BROKEN = 5 * 60_000;

/** What a server's idea of the time, asked between `before` and `after` (ms since the epoch), says about the clock of this machine. */
export function clockFinding(subject: string, serverTime: number, before: number, after: number): Finding {
  // The header has whole seconds, and the answer was made at some time between: only what is surely off counts.
  const behind = serverTime - after;
  const ahead = before - (serverTime + 1000);
  const off = Math.max(0, behind, ahead);
  const check = 'clock';
  if (off < WORRYING) return { subject, check, status: 'ok', message: 'its clock and this machine’s agree' };
  const message = `this machine’s clock is ${formatDuration(off)} ${behind > 0 ? 'behind' : 'ahead of'} its clock`;
  return { subject, check, status: off < BROKEN ? 'warn' : 'fail', message, fix: 'Set the clock, best by NTP: points are ordered by time, and stores refuse requests with a wrong one.' };
}
