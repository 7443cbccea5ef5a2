import { createHash, randomBytes } from 'node:crypto';
import { systemClock } from '../../src/core/clock.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Warning } from '../../src/core/progress.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import type { CommittedPoint, CopiesOptions, Json } from '../../src/repository/api.ts';
import { decodeIndexObject } from '../../src/repository/index-object.ts';
import { openWriter } from '../../src/repository/index.ts';
import { packKey } from '../../src/repository/layout.ts';
import { decodePoint } from '../../src/repository/point.ts';
import { pointNameOf } from '../../src/repository/vault-contents.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import type { Scene } from './scene.ts';

/** Records that fill about so many packs: nothing in them can be compressed. */
export function bulk(packs: number): Buffer[] {
  return Array.from({ length: packs * 68 }, () => randomBytes(250_000));
}

/** The machine's clock, but pauses take a hundredth of their time. */
export const hasty: Clock = { now: () => Date.now(), sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

export interface StoreOptions extends CopiesOptions {
  readonly vaults?: readonly Vault[];
  readonly clock?: Clock;
  readonly warnings?: Warning[];
  readonly silence?: number;
  readonly signal?: AbortSignal;
  /** Awaited before each record. */
  readonly before?: (record: number) => void | Promise<void>;
  /** Awaited before the commit. */
  readonly beforeCommit?: () => void | Promise<void>;
}

/** Backs up one stream of records. */
export async function store(scene: Scene<Vault>, records: readonly Uint8Array[], options: StoreOptions = {}): Promise<CommittedPoint> {
  const { vaults = scene.vaults, clock, warnings, silence, signal, ...rest } = options;
  const { before, beforeCommit, ...copies } = rest;
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(scene.keys), ...copies, ...(clock && { clock }), ...(silence !== undefined && { silence }) });
  const session = await writer.begin('prod', { onWarning: (warning) => warnings?.push(warning), signal });
  try {
    const stream = session.records();
    for (const [i, record] of records.entries()) {
      await before?.(i);
      await stream.write(record);
    }
    const all: Json = { ...(await stream.end()) };
    await beforeCommit?.();
    return await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: { kind: 'test', streams: { all } } });
  } catch (error) {
    await session.abort();
    throw error;
  }
}

/**
 * Throws when something is in the vault before what must be there first: a point without its packs, an index object that
 * names a pack which is not there. `alsoIndexes`: false when the vault got index objects of old packs from another one.
 */
export async function expectOrder(vault: MemoryVault, scene: Scene<Vault>, alsoIndexes = true): Promise<void> {
  const { keys } = scene;
  for (const [key, bytes] of vault.objects) {
    const name = pointNameOf(key);
    if (key.startsWith('points/') && name !== undefined) {
      const point = decodePoint(bytes, { repositoryId: keys.repositoryId, ...name }, keys.signingPublicKey);
      for (const { id, size } of point.packs) {
        const pack = vault.objects.get(packKey(id));
        if (pack?.length !== size || sha256(pack) !== id) throw new Error(`${vault.name} shows ${key} without pack ${id}`);
      }
    }
    if (!alsoIndexes || !key.startsWith('index/')) continue;
    for (const { pack } of await decodeIndexObject(bytes, keys.indexKey, Buffer.from(keys.repositoryId, 'hex'))) {
      if (!vault.objects.has(packKey(pack.id))) throw new Error(`${vault.name} has ${key}, and not the pack ${pack.id} it names`);
    }
  }
}

/** What is in a vault, by key: digests, because comparing large arrays takes a test runner very long. */
export function contentsOf(vault: MemoryVault): Record<string, string> {
  return Object.fromEntries([...vault.objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, bytes]) => [key, sha256(bytes)]));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
