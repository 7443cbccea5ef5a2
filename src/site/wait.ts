import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import type { SiteConnection } from './connect.ts';
import { discover, findType } from './discover.ts';
import type { Discovery } from './discover.ts';
import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to wait at most. Default 60,000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Asks again and again, with growing pauses, until `look` gives something. Throws `LB_DEADLINE` saying `what` was
 * waited for, the signal's reason, and what `look` throws.
 */
export async function waitFor<T>(what: string, look: () => Promise<T | undefined>, options: WaitOptions = {}): Promise<T> {
  const { signal, timeoutMs = 60_000, clock = systemClock } = options;
  const until = clock.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    signal?.throwIfAborted();
    const seen = await look();
    if (seen !== undefined) return seen;
    if (clock.now() + pause > until) throw new LifeboatError('LB_DEADLINE', `Waited ${Math.round(timeoutMs / 1000)} s for ${what}`);
    await clock.sleep(pause, signal);
  }
}

/** Waits until the site serves all of these types in their versions, and returns what it serves then. */
export async function waitForTypes(connection: SiteConnection, types: readonly ResourceType[], options: WaitOptions = {}): Promise<Discovery> {
  const missing = (discovery: Discovery): readonly ResourceType[] =>
    types.filter((type) => findType(discovery, type)?.versions.includes(type.version) !== true);
  const names = types.map(typeName);
  const some = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  return waitFor(
    `the site to serve ${some}`,
    async () => {
      const discovery = await discover(connection, { signal: options.signal });
      return missing(discovery).length === 0 ? discovery : undefined;
    },
    options,
  );
}
