/** What opening a repository of ten million chunks takes: memory and time of a process that begins a backup in it. */
import { createHmac, randomBytes, randomFillSync } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { formatWriteKey, generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import type { WriteKey } from '../src/keys/index.ts';
import { createSealer } from '../src/keys/sealing.ts';
import type { CommittedPoint } from '../src/repository/api.ts';
import { sha256Hex } from '../src/repository/bytes.ts';
import { createRepository, openWriter } from '../src/repository/index.ts';
import { encodeIndexObject, isIndexDue } from '../src/repository/index-object.ts';
import type { PackIndex } from '../src/repository/index-object.ts';
import { compactTime, indexKey, packKey, pointId, pointKey } from '../src/repository/layout.ts';
import { PackRegistry } from '../src/repository/pack-registry.ts';
import { encodePoint, sealManifest } from '../src/repository/point.ts';
import { openDirectoryVault } from '../src/vault/directory.ts';
import type { Vault } from '../src/vault/vault.ts';
import { runScript } from './command.ts';
import { held, noted } from './figure.ts';
import type { Figure } from './figure.ts';
import { CHUNK, knownChunk, KNOWN_CHUNKS } from './large-index.chunks.ts';

/** Ten TiB in chunks of a MiB, sixteen of them in each pack, as a block image that does not compress is stored. */
const CHUNKS = 10 * 1024 * 1024;
const CHUNKS_PER_PACK = 16;
const ID_BYTES = 16;
const PACK_BYTES = CHUNKS_PER_PACK * (CHUNK + 16) + 1500;

const CHILD = fileURLToPath(new URL('large-index.child.ts', import.meta.url));

const saidSchema = z.object({ openSeconds: z.number(), openMegabytes: z.number(), newChunks: z.number(), totalSeconds: z.number() });

export async function indexFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  const path = join(folder, 'vault');
  const vault = await openDirectoryVault({ name: 'bench', path, create: true });
  try {
    const keys = await generateRepositoryKeys();
    const writeKey = writeKeyOf(keys);
    const { recipient } = await generateIdentity('x25519');
    await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
    const first = await firstPoint(vault, writeKey);
    say(`making the index of ${CHUNKS.toLocaleString('en')} chunks, and the names of their packs`);
    const made = await makeLargePoint(vault, path, writeKey, first);
    say(`${made.packs.toLocaleString('en')} packs, ${made.indexes.toLocaleString('en')} index objects of ${(made.bytes / 1e6).toFixed(0)} MB`);
    const keyFile = join(folder, 'write-key');
    await writeFile(keyFile, formatWriteKey(writeKey));
    const run = await runScript(CHILD, [path, keyFile]);
    const said = saidSchema.parse(JSON.parse(run.output));
    if (said.newChunks !== 0) throw new Error(`${said.newChunks} chunks that are in the index were stored again`);
    return [
      held('peak memory when ten million chunks are open', said.openMegabytes, 'MB', '<=', 800),
      held('opening them, from the first request on', said.openSeconds, 's', '<', 20),
      noted(`and storing an image of ${KNOWN_CHUNKS} known chunks, until its point is there`, said.totalSeconds, 's'),
      noted('peak memory then', run.peakMegabytes, 'MB'),
      noted('processor time of the whole process', run.cpuSeconds, 's'),
    ];
  } finally {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A point of little: what the large one follows. */
async function firstPoint(vault: Vault, writeKey: WriteKey): Promise<CommittedPoint & { readonly sha256: string }> {
  const writer = await openWriter({ vaults: [vault], writeKey });
  const session = await writer.begin('bench');
  const records = session.records();
  await records.write(Buffer.from('{}'));
  const stream = { ...(await records.end()) };
  const point = await session.commit({ at: new Date().toISOString(), complete: true, manifest: { stream } });
  const bytes = Buffer.concat(await Array.fromAsync((await vault.get(pointKey('bench', point.header.id))).body));
  return { ...point, sha256: sha256Hex(bytes) };
}

/** What a first backup of ten TiB leaves, but for what is in the packs: their names and sizes, their index, the point. */
async function makeLargePoint(
  vault: Vault,
  path: string,
  writeKey: WriteKey,
  first: { readonly header: CommittedPoint['header']; readonly sha256: string },
): Promise<{ readonly packs: number; readonly indexes: number; readonly bytes: number }> {
  for (let byte = 0; byte < 256; byte++) mkdirSync(join(path, 'packs', byte.toString(16).padStart(2, '0')), { recursive: true });
  const packs = CHUNKS / CHUNKS_PER_PACK;
  const registry = new PackRegistry();
  const repositoryId = Buffer.from(writeKey.repositoryId, 'hex');
  const indexes: string[] = [];
  let waiting: PackIndex[] = [];
  let bytes = 0;
  const writeIndex = async (): Promise<void> => {
    const encoded = await encodeIndexObject(waiting, writeKey.indexKey, repositoryId);
    const id = `${compactTime(Date.now())}-${sha256Hex(encoded)}`;
    await vault.put(indexKey(id), encoded);
    indexes.push(id);
    bytes += encoded.length;
    waiting = [];
  };
  for (let number = 0; number < packs; number++) {
    const pack = { id: randomBytes(32).toString('hex'), size: PACK_BYTES, commitment: randomBytes(32).toString('hex') };
    const file = openSync(join(path, packKey(pack.id)), 'wx', 0o444);
    ftruncateSync(file, pack.size);
    closeSync(file);
    const ids = randomFillSync(Buffer.alloc(CHUNKS_PER_PACK * ID_BYTES));
    // Spread over all packs are chunks whose content is known.
    const known = number % (packs / KNOWN_CHUNKS) === 0 ? number / (packs / KNOWN_CHUNKS) : -1;
    if (known >= 0) idOf(knownChunk(known), writeKey).copy(ids, (known % CHUNKS_PER_PACK) * ID_BYTES);
    waiting.push({ pack, blocks: Array.from({ length: CHUNKS_PER_PACK }, () => 1), ids });
    registry.resolve(registry.add(), pack);
    registry.placeOf(number);
    if (isIndexDue(waiting.length, waiting.length * ids.length, number + 1)) await writeIndex();
  }
  if (waiting.length > 0) await writeIndex();
  await putPoint(vault, writeKey, first, indexes, registry.table());
  return { packs, indexes: indexes.length, bytes };
}

async function putPoint(
  vault: Vault,
  writeKey: WriteKey,
  first: { readonly header: CommittedPoint['header']; readonly sha256: string },
  indexes: readonly string[],
  packTable: Uint8Array,
): Promise<void> {
  const now = Date.now();
  const id = pointId(now);
  const place = { repositoryId: writeKey.repositoryId, site: 'bench', id };
  const time = new Date(now).toISOString();
  const stats = { recordsTotal: 0, plaintextBytes: CHUNKS * CHUNK, newChunks: CHUNKS, newPlaintextBytes: CHUNKS * CHUNK, packs: CHUNKS / CHUNKS_PER_PACK, storedBytes: CHUNKS * CHUNK };
  const previous = [{ id: first.header.id, sha256: first.sha256 }];
  const header = { id, site: 'bench', at: time, startedAt: first.header.startedAt, committedAt: time, previous, complete: true, stats };
  const sealedManifest = await sealManifest({ kind: 'bench' }, place, await createSealer(writeKey.sealingPublicKey));
  await vault.put(pointKey('bench', id), encodePoint({ header, slots: [], indexes, packTable, sealedManifest, repositoryId: writeKey.repositoryId }, writeKey.signingKey));
}

function idOf(chunk: Uint8Array, writeKey: WriteKey): Buffer {
  return createHmac('sha256', writeKey.dedupKey.expose()).update(chunk).digest().subarray(0, ID_BYTES);
}
