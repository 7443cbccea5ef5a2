// Makes the frozen vectors of byte streams in this folder. Run once, when they were added to format 1; to run it again is to make
// another format. usage: node test/repository/vectors/bulk/make.ts NEW_FOLDER
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../../../../src/keys/index.ts';
import type { BytesRef, Json } from '../../../../src/repository/api.ts';
import { decodeHeader, encodeHeader } from '../../../../src/repository/header.ts';
import { createRepository, openWriter } from '../../../../src/repository/index.ts';
import { MemoryVault } from '../../../support/memory-vault.ts';
import { imageOf, inParts } from '../../bulk/made.ts';
import { testClock } from '../../scene.ts';
import { made } from '../units.ts';
import { computeBulkUnits } from './units.ts';

const [folder = 'vectors'] = process.argv.slice(2);
const MIB = 1024 * 1024;

/** Text that compresses to little, so that the vectors are small, and differs from place to place. */
function text(label: string, length: number): Buffer {
  const lines = Array.from({ length: 64 }, (_, i) => `${label}: line ${i}, ${made(`${label} ${i}`, 6).toString('hex')}\n`);
  return Buffer.alloc(length, lines.join(''));
}

/** Every kind of chunk: compressed and as it is, large and small, holes, of a block of its own and in one with others. */
const DATA: Record<string, { readonly kind: 'stream' | 'image'; readonly bytes: Buffer }> = {
  image: {
    kind: 'image',
    bytes: Buffer.concat([text('a', MIB), Buffer.alloc(3 * MIB), text('b', 2 * MIB), made('noise', 300_000), Buffer.alloc(748_576), text('a', MIB), text('c', 1000)]),
  },
  stream: { kind: 'stream', bytes: Buffer.concat([text('a', 3 * MIB), Buffer.alloc(9 * MIB), text('d', 5 * MIB + 123)]) },
  small: { kind: 'stream', bytes: text('small', 3000) },
  nothing: { kind: 'stream', bytes: Buffer.alloc(0) },
};

const keys = await generateRepositoryKeys();
const { identity, recipient } = await generateIdentity('x25519');
const clock = testClock();
const vault = new MemoryVault('vector');
await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'age', recipient })], clock });
// The rescue reader is not part of the vectors: it may get better without the format changing.
const header = decodeHeader(vault.objects.get('lifeboat.json') ?? new Uint8Array());
vault.objects.set('lifeboat.json', encodeHeader({ ...header, rescue: [] }, keys.signingKey));
for (const key of vault.objects.keys()) if (key.startsWith('rescue/')) vault.objects.delete(key);

const writer = await openWriter({ vaults: [vault], writeKey: writeKeyOf(keys), clock });
clock.advance(3_600_000);
const session = await writer.begin('harbour');
const volumes: Record<string, Json> = {};
const hashes: Record<string, string> = {};
for (const [name, { kind, bytes }] of Object.entries(DATA)) {
  const ref: BytesRef = kind === 'image' ? await session.image(imageOf(bytes), bytes.length) : await session.stream(inParts(bytes, [bytes.length / 3]));
  volumes[name] = { ...ref };
  hashes[name] = createHash('sha256').update(bytes).digest('hex');
}
const manifest = { kind: 'test', volumes };
const { header: point } = await session.commit({ at: new Date(clock.now()).toISOString(), complete: true, manifest });

const expected = { repository: keys.repositoryId, identity, point: point.id, volumes: hashes };
const files: [string, Uint8Array | string][] = [
  ...[...vault.objects].map(([key, bytes]): [string, Uint8Array] => [join('vault', key), bytes]),
  ['expected.json', `${JSON.stringify(expected, undefined, 2)}\n`],
  ['units.json', `${JSON.stringify(computeBulkUnits(), undefined, 2)}\n`],
];
for (const [name, bytes] of files) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}
