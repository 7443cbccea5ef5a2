import { z } from 'zod';
import { writeKeyOf } from '../../../src/keys/index.ts';
import type { BackupSession, BytesRef, BytesTarget, CommittedPoint, Json, OpenPoint } from '../../../src/repository/api.ts';
import { openReader, openWriter } from '../../../src/repository/index.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import type { Scene } from '../scene.ts';

/** Makes a point of whatever `store` stores. */
export async function backUpBytes(
  scene: Scene<Vault>,
  store: (session: BackupSession) => Promise<Readonly<Record<string, BytesRef>>>,
  options: { readonly site?: string; readonly vaults?: readonly Vault[]; readonly signal?: AbortSignal } = {},
): Promise<CommittedPoint> {
  const { site = 'prod', vaults = scene.vaults, signal } = options;
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(scene.keys) });
  const session = await writer.begin(site, { signal });
  try {
    const refs = await store(session);
    const volumes: Record<string, Json> = {};
    for (const [name, ref] of Object.entries(refs)) volumes[name] = { ...ref };
    return await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: { kind: 'test', volumes } });
  } catch (error) {
    await session.abort();
    throw error;
  }
}

const manifestSchema = z.object({ volumes: z.record(z.string(), z.object({ bytes: z.number(), map: z.string() })) });

export function refsOf(point: OpenPoint): Record<string, BytesRef> {
  return manifestSchema.parse(point.manifest).volumes;
}

/** Runs `work` with an opened point and the streams it names. */
export async function withPoint<T>(
  scene: Scene<Vault>,
  work: (point: OpenPoint, refs: Record<string, BytesRef>) => Promise<T>,
  options: { readonly id?: string; readonly vaults?: readonly Vault[] } = {},
): Promise<T> {
  const reader = await openReader({ vaults: options.vaults ?? scene.vaults, keys: scene.keys });
  try {
    const point = await reader.open(options.id ?? 'latest');
    return await work(point, refsOf(point));
  } finally {
    await reader.close();
  }
}

/** A target in memory, which remembers what it was told. */
export function memoryTarget(size: number): BytesTarget & { readonly bytes: Buffer; told: number } {
  const bytes = Buffer.alloc(size, 0xff);
  return {
    bytes,
    told: 0,
    write(part, offset) {
      bytes.set(part, offset);
      this.told += part.length;
      return Promise.resolve();
    },
    zero(offset, length) {
      bytes.fill(0, offset, offset + length);
      this.told += length;
      return Promise.resolve();
    },
  };
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
