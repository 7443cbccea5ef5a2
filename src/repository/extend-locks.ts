import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnProgress } from '../core/progress.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { HEADER_KEY, indexKey, packKey, pointKey, slotKey } from './layout.ts';
import type { ReadContext } from './pack-store.ts';
import { forEachParallel } from './parallel.ts';
import { readPoint } from './point-finder.ts';
import type { FoundPoint } from './point-finder.ts';
import { liveSlots } from './slot-objects.ts';

/** Objects looked at once. */
const PARALLEL = 16;

/** What became of the locks in one vault. */
export interface LockExtension {
  readonly vault: string;
  /** Objects that points need. */
  readonly objects: number;
  /** Those of which the lock was made longer. */
  readonly extended: number;
  readonly failed: readonly { readonly object: string; readonly code: string; readonly message: string }[];
}

/**
 * Sees to it that what these points need stays locked: where less than half of `duration` (ms) is left, the lock is made
 * to last `duration` from `now` on. In each vault that locks: the points it has, their packs and index objects, key slots
 * and header. Throws what is wrong when a point cannot be read.
 */
export async function extendLocks(
  points: readonly FoundPoint[],
  keys: PublicKeys,
  duration: number,
  now: number,
  options: ReadContext & { readonly onProgress?: OnProgress | undefined } = {},
): Promise<LockExtension[]> {
  const needed = new Map<Vault, Set<string>>();
  for (const point of points) {
    for (const vault of point.vaults) {
      if (!vault.locks) continue;
      // Its own copy says what it needs: one of a vault that does not lock may have been replaced.
      const { packs, indexes } = await readPoint({ ...point, vaults: [vault, ...point.vaults.filter((other) => other !== vault)] }, keys, options);
      const objects = needed.get(vault) ?? new Set([HEADER_KEY, ...(await liveSlots(vault, keys, options.signal)).map(slotKey)]);
      needed.set(vault, objects);
      for (const key of [pointKey(point.site, point.id), ...packs.map(({ id }) => packKey(id)), ...indexes.map(indexKey)]) objects.add(key);
    }
  }
  const extensions: LockExtension[] = [];
  for (const [vault, objects] of needed) extensions.push(await extendIn(vault, objects, duration, now, options));
  return extensions;
}

async function extendIn(
  vault: Vault,
  objects: ReadonlySet<string>,
  duration: number,
  now: number,
  { signal, onProgress }: ReadContext & { readonly onProgress?: OnProgress | undefined },
): Promise<LockExtension> {
  const failed: LockExtension['failed'][number][] = [];
  let extended = 0;
  let done = 0;
  await forEachParallel(objects, PARALLEL, async (object) => {
    try {
      const { retainUntil } = (await vault.head(object, { original: true, signal })) ?? {};
      if ((retainUntil?.getTime() ?? 0) < now + duration / 2) {
        await vault.retain(object, new Date(now + duration), { signal });
        extended++;
      }
    } catch (error) {
      signal?.throwIfAborted();
      failed.push({ object, code: isLifeboatError(error) ? error.code : 'LB_INTERNAL', message: messageOf(error) });
    }
    onProgress?.({ phase: 'lock', done: ++done, total: objects.size, unit: 'objects' });
  });
  return { vault: vault.name, objects: objects.size, extended, failed };
}
