import { z } from 'zod';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import { getObject } from './apply.ts';
import type { WritableType } from './apply.ts';
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

const conditionsSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).nullish(),
});

/** Waits until an object's condition of this type is `True`: `Established` of a CustomResourceDefinition. `LB_DEADLINE` also when the object is gone. */
export async function waitForCondition(
  connection: SiteConnection,
  type: WritableType,
  namespace: string,
  name: string,
  condition: string,
  options: WaitOptions = {},
): Promise<void> {
  await waitFor(
    `${typeName(type)} ${name} to be ${condition}`,
    async () => {
      const raw = await getObject(connection, type, namespace, name, { signal: options.signal });
      const object = raw === undefined ? undefined : conditionsSchema.safeParse(JSON.parse(raw.toString('utf8'))).data;
      return object?.status?.conditions?.some((seen) => seen.type === condition && seen.status === 'True') === true ? true : undefined;
    },
    options,
  );
}
