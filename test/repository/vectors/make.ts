// Makes the frozen vectors in `roles/`. Run once, when the roles got keys of their own; to run it again is to make
// another format. Those beside `roles/` were made the same way before that, when format 1 was settled.
// usage: node test/repository/vectors/make.ts NEW_FOLDER
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  formatMaintainKey,
  formatReadKey,
  formatWriteKey,
  generateIdentity,
  generateRepositoryKeys,
  maintainKeyOf,
  sealSlot,
  slotId,
  writeKeyOf,
} from '../../../src/keys/index.ts';
import type { Json } from '../../../src/repository/api.ts';
import { decodeHeader, encodeHeader } from '../../../src/repository/header.ts';
import { createRepository, openWriter, removeSlot } from '../../../src/repository/index.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { testClock } from '../scene.ts';
import { ROLE_KEYS } from './units.ts';

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
const [x25519, postQuantum, reader, maintainer, removed] = await Promise.all([
  generateIdentity('x25519'),
  generateIdentity('post-quantum'),
  generateIdentity('x25519'),
  generateIdentity('post-quantum'),
  generateIdentity('x25519'),
]);
const removedSlot = await sealSlot(keys, { kind: 'age', recipient: removed.recipient });
const slots = [
  ...(await Promise.all([
    sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: 10 }),
    sealSlot(keys, { kind: 'age', recipient: x25519.recipient }),
    sealSlot(keys, { kind: 'age', recipient: postQuantum.recipient }),
    sealSlot(keys, { kind: 'age', recipient: reader.recipient }, 'read'),
    sealSlot(keys, { kind: 'age', recipient: maintainer.recipient }, 'maintain'),
  ])),
  removedSlot,
];
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

// As in a vault that does not permit deleting: only the tombstone says that the slot does not count.
await removeSlot([vault], maintainKeyOf(keys), slotId(removedSlot), { clock });
vault.objects.set(`keys/${slotId(removedSlot)}`, removedSlot);

const expected = {
  repository: keys.repositoryId,
  writeKey: formatWriteKey(keys),
  readKey: formatReadKey(keys),
  maintainKey: formatMaintainKey(keys),
  passphrase: PASSPHRASE,
  identities: [x25519.identity, postQuantum.identity],
  readIdentity: reader.identity,
  maintainIdentity: maintainer.identity,
  removedIdentity: removed.identity,
  points,
};
const files: [string, Uint8Array | string][] = [
  ...[...vault.objects].map(([key, bytes]): [string, Uint8Array] => [join('vault', key), bytes]),
  ['expected.json', `${JSON.stringify(expected, undefined, 2)}\n`],
  ['units.json', `${JSON.stringify(ROLE_KEYS, undefined, 2)}\n`],
];
for (const [name, bytes] of files) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}
