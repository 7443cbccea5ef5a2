// Makes the frozen vectors in this folder. Run once, when format 1 was settled; to run it again is to make another format.
// usage: node test/repository/vectors/make.ts NEW_FOLDER
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  formatWriteKey,
  generateIdentity,
  generateRepositoryKeys,
  sealSlot,
  writeKeyOf,
} from '../../../src/keys/index.ts';
import type { Json } from '../../../src/repository/api.ts';
import { decodeHeader, encodeHeader } from '../../../src/repository/header.ts';
import { createRepository, openWriter } from '../../../src/repository/index.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { testClock } from '../scene.ts';
import { computeUnits, WRITE_KEY } from './units.ts';

const [folder = 'vectors'] = process.argv.slice(2);
const PASSPHRASE = 'lifeboat format 1';

/** The records of both points; the large ones are cut into several chunks, and one that does not compress is among them. */
function streamsOf(generation: number): Record<string, Buffer[]> {
  const noise = createHash('shake256', { outputLength: 200_000 }).update('lifeboat vector noise').digest();
  return {
    '/configmaps': Array.from({ length: 30 }, (_, i) =>
      Buffer.from(
        JSON.stringify({
          metadata: { name: `config-${i}`, namespace: `team-${i % 3}` },
          data: { generation: `${i % 10 === 0 ? generation : 0}` },
        }),
      ),
    ),
    '/secrets': [
      Buffer.from(
        JSON.stringify({ metadata: { name: 'große:ähre', namespace: 'team-0' }, data: { text: 'c3dvcmRmaXNo' } }),
      ),
    ],
    'example.com/widgets': [
      Buffer.from(JSON.stringify({ metadata: { name: 'compressible' }, spec: { text: 'lifeboat '.repeat(60_000) } })),
      Buffer.from(JSON.stringify({ metadata: { name: 'incompressible' }, spec: { text: noise.toString('base64') } })),
    ],
    'example.com/empties': [],
  };
}

const TYPES = [
  { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { group: '', version: 'v1', resource: 'secrets', kind: 'Secret', namespaced: true },
  { group: 'example.com', version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: false },
  { group: 'example.com', version: 'v1', resource: 'empties', kind: 'Empty', namespaced: false },
];

const keys = await generateRepositoryKeys();
const [x25519, postQuantum] = await Promise.all([generateIdentity('x25519'), generateIdentity('post-quantum')]);
const slots = await Promise.all([
  sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: 10 }),
  sealSlot(keys, { kind: 'age', recipient: x25519.recipient }),
  sealSlot(keys, { kind: 'age', recipient: postQuantum.recipient }),
]);
const clock = testClock();
const vault = new MemoryVault('vector');
await createRepository({ vaults: [vault], keys, slots, clock });
// The rescue reader is not part of the vectors: it may get better without the format changing.
const header = decodeHeader(vault.objects.get('lifeboat.json') ?? new Uint8Array());
vault.objects.set('lifeboat.json', encodeHeader({ ...header, rescue: [] }, keys.signingKey));
for (const key of vault.objects.keys()) if (key.startsWith('rescue/')) vault.objects.delete(key);

const writer = await openWriter({ vaults: [vault], writeKey: writeKeyOf(keys), clock });
const points: { id: string; streams: Record<string, string[]> }[] = [];
for (const generation of [1, 2]) {
  clock.advance(3_600_000);
  const session = await writer.begin('harbour');
  const refs: Record<string, Json> = {};
  const hashes: Record<string, string[]> = {};
  for (const [name, records] of Object.entries(streamsOf(generation))) {
    const stream = session.records();
    for (const record of records) await stream.write(record);
    refs[name] = { ...(await stream.end()) };
    hashes[name] = records.map((record) => createHash('sha256').update(record).digest('hex'));
  }
  const manifest = {
    kind: 'cluster-state',
    summary: { revision: `${1000 + generation}`, types: TYPES },
    streams: refs,
  };
  const { header: point } = await session.commit({ at: new Date(clock.now()).toISOString(), complete: true, manifest });
  points.push({ id: point.id, streams: hashes });
}

const expected = {
  repository: keys.repositoryId,
  writeKey: formatWriteKey(writeKeyOf(keys)),
  passphrase: PASSPHRASE,
  identities: [x25519.identity, postQuantum.identity],
  points,
};
const files: [string, Uint8Array | string][] = [
  ...[...vault.objects].map(([key, bytes]): [string, Uint8Array] => [join('vault', key), bytes]),
  ['expected.json', `${JSON.stringify(expected, undefined, 2)}\n`],
  ['units.json', `${JSON.stringify({ ...computeUnits(), writeKey: WRITE_KEY.text }, undefined, 2)}\n`],
];
for (const [name, bytes] of files) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}
