import { z } from 'zod';
import { systemClock } from '../../src/core/clock.ts';
import type { Clock } from '../../src/core/clock.ts';
import type { Warning } from '../../src/core/progress.ts';
import { generateRepositoryKeys, sealSlot, writeKeyOf } from '../../src/keys/index.ts';
import type { RepositoryKeys } from '../../src/keys/index.ts';
import type { CommittedPoint, Json, OpenPoint, StreamRef } from '../../src/repository/api.ts';
import { createRepository, openReader, openWriter } from '../../src/repository/index.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { MemoryVault } from '../support/memory-vault.ts';

/** A passphrase slot that is quick to open. */
export const PASSPHRASE = 'correct horse battery staple';
export const WORK_FACTOR = 10;

/** A repository in vaults of a test, and its keys. */
export interface Scene<V extends Vault = MemoryVault> {
  readonly vaults: readonly V[];
  readonly keys: RepositoryKeys;
}

/** A new repository in memory vaults with these names. */
export async function makeScene(...names: readonly string[]): Promise<Scene> {
  return makeSceneIn((names.length > 0 ? names : ['a']).map((name) => new MemoryVault(name)));
}

/** A new repository in the given vaults. */
export async function makeSceneIn<V extends Vault>(vaults: readonly V[]): Promise<Scene<V>> {
  const keys = await generateRepositoryKeys();
  const slot = await sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR });
  await createRepository({ vaults, keys, slots: [slot] });
  return { vaults, keys };
}

/** Streams of records by name. */
export type Streams = Readonly<Record<string, readonly (string | Uint8Array)[]>>;

export interface BackupOptions {
  readonly site?: string;
  readonly clock?: Clock;
  readonly warnings?: Warning[];
  /** Vaults to use instead of all. */
  readonly vaults?: readonly Vault[];
  /** The moment that the point shows. */
  readonly at?: string;
  /** More members of the manifest. */
  readonly manifest?: Readonly<Record<string, Json>>;
}

/** Backs up streams of records, all at the same time, as a point whose manifest names them. */
export async function backUp(
  scene: Scene<Vault>,
  streams: Streams,
  options: BackupOptions = {},
): Promise<CommittedPoint> {
  const { site = 'prod', clock, warnings, vaults = scene.vaults, at = '2026-03-14T02:15:00.000Z', manifest } = options;
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(scene.keys), ...(clock && { clock }) });
  const session = await writer.begin(site, { onWarning: (warning) => warnings?.push(warning) });
  const refs: Record<string, Json> = {};
  await Promise.all(
    Object.entries(streams).map(async ([name, records]) => {
      const stream = session.records();
      for (const record of records) await stream.write(Buffer.from(record));
      refs[name] = { ...(await stream.end()) };
    }),
  );
  return session.commit({
    at,
    complete: true,
    manifest: { kind: 'test', ...manifest, streams: refs },
  });
}

/** All streams of a point. */
export async function readBack(point: OpenPoint): Promise<Record<string, Buffer[]>> {
  const streams: Record<string, Buffer[]> = {};
  for (const [name, ref] of Object.entries(streamsOf(point))) streams[name] = await readStream(point, ref);
  return streams;
}

export async function readStream(point: OpenPoint, ref: StreamRef): Promise<Buffer[]> {
  const records: Buffer[] = [];
  for await (const record of point.records(ref)) records.push(Buffer.from(record));
  return records;
}

const streamRefSchema = z.object({ records: z.number(), bytes: z.number(), extents: z.string() });
const manifestSchema = z.object({ streams: z.record(z.string(), streamRefSchema) });

export function streamsOf(point: OpenPoint): Record<string, StreamRef> {
  return manifestSchema.parse(point.manifest).streams;
}

/** Opens a point and reads everything in it. */
export async function restore(
  scene: Scene<Vault>,
  id = 'latest',
  warnings: Warning[] = [],
): Promise<Record<string, Buffer[]>> {
  const reader = await openReader({
    vaults: scene.vaults,
    keys: scene.keys,
    onWarning: (warning) => warnings.push(warning),
  });
  return readBack(await reader.open(id));
}

/** Throws unless what was read is exactly these streams. Quicker than comparing thousands of buffers byte by byte in JavaScript. */
export function expectSame(read: Readonly<Record<string, readonly Buffer[]>>, streams: Streams): void {
  const names = Object.keys(streams).sort().join();
  if (Object.keys(read).sort().join() !== names)
    throw new Error(`streams ${Object.keys(read).join()} were read, and not ${names}`);
  for (const [name, records] of Object.entries(streams)) {
    const got = read[name] ?? [];
    if (got.length !== records.length)
      throw new Error(`stream ${name} has ${got.length} records, and not ${records.length}`);
    for (const [i, record] of records.entries()) {
      if (!got[i]?.equals(Buffer.from(record))) throw new Error(`record ${i} of stream ${name} differs`);
    }
  }
}

/** A made-up object of about `bytes` bytes; the same for the same numbers. */
export function madeUp(number: number, bytes = 1200, generation = 0): Buffer {
  let state = (number * 2654435761 + generation * 40503 + 12345) >>> 0;
  const random = (): string => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0).toString(36);
  const uid = Array.from({ length: 4 }, random).join('-');
  const head = `{"metadata":{"name":"config-${number}","namespace":"team-${number % 17}","uid":"${uid}","resourceVersion":"${number + 1000 * generation}"},"data":{"value":"`;
  let value = '';
  while (head.length + value.length < bytes - 4) value += (value.length / 8) % 4 < 1 ? random() : 'aaaaaaaa';
  return Buffer.from(`${head}${value}"}}`);
}

export function madeUpList(
  count: number,
  options: { readonly bytes?: number; readonly generation?: (number: number) => number } = {},
): Buffer[] {
  return Array.from({ length: count }, (_, number) => madeUp(number, options.bytes, options.generation?.(number) ?? 0));
}

/** A clock that tests move. */
export function testClock(start = Date.parse('2026-03-14T02:15:00.000Z')): Clock & { advance(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    advance: (ms) => {
      now += ms;
    },
  };
}

/** The machine's clock, but so many ms ahead. */
export function clockAhead(ms: number): Clock {
  return { now: () => systemClock.now() + ms, sleep: (pause, signal) => systemClock.sleep(pause, signal) };
}

/** A copy of `bytes` with one bit changed. */
export function flipBit(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[at] = (flipped[at] as number) ^ (1 << bit);
  return flipped;
}
