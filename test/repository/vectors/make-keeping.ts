// Makes the frozen vectors in `keeping/`: a vault with removed points, marks of the sweep, a lease and reports of
// verifications. Run once, when these were settled; to run it again is to make another format.
// usage: node test/repository/vectors/make-keeping.ts NEW_FOLDER
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatMaintainKey, formatReadKey, generateRepositoryKeys, readKeyOf, sealSlot, writeKeyOf } from '../../../src/keys/index.ts';
import { decodeHeader, encodeHeader } from '../../../src/repository/header.ts';
import { createRepository, findLivePoints, openWriter, removePoint, sweep, verify } from '../../../src/repository/index.ts';
import { Lease } from '../../../src/repository/sweep/lease.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { backUp, madeUpList, testClock } from '../scene.ts';
import { computeKeeping } from './units.ts';

const [folder = 'keeping'] = process.argv.slice(2);
const DAY = 24 * 3_600_000;
const PASSPHRASE = 'lifeboat format 1';

const clock = testClock();
const keys = await generateRepositoryKeys();
const vault = new MemoryVault('keeping');
const scene = { vaults: [vault], keys };
await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: 10 })], clock });
// The rescue reader is not part of the vectors: it may get better without the format changing.
vault.objects.set('lifeboat.json', encodeHeader({ ...decodeHeader(vault.objects.get('lifeboat.json') ?? new Uint8Array()), rescue: [] }, keys.signingKey));
for (const key of vault.objects.keys()) if (key.startsWith('rescue/')) vault.objects.delete(key);

const packs = (): string[] => [...vault.objects.keys()].filter((key) => /^(?:packs|index)\//.test(key));
async function backUpDaily(generation: number): Promise<string> {
  clock.advance(DAY);
  return (await backUp(scene, { all: madeUpList(20, { generation: () => generation }) }, { site: 'harbour', clock })).header.id;
}
async function remove(id: string, reason: string): Promise<void> {
  const point = (await findLivePoints([vault], 'harbour', keys, {})).find((one) => one.id === id);
  if (point !== undefined) await removePoint([vault], keys, point, reason, { clock });
}
/** As a backup that was killed leaves them. */
async function leaveGarbage(generation: number): Promise<readonly string[]> {
  const before = packs();
  const session = await (await openWriter({ vaults: [vault], writeKey: writeKeyOf(keys), clock })).begin('harbour');
  const stream = session.records();
  for (const record of madeUpList(20, { generation: () => generation })) await stream.write(record);
  await stream.end();
  await session.commit({ at: 'no time', complete: true, manifest: {} }).catch(() => undefined);
  return packs().filter((key) => !before.includes(key));
}

const swept = await backUpDaily(1);
const removed = await backUpDaily(2);
const live = [await backUpDaily(3)];
await remove(swept, 'retention');
await leaveGarbage(4);
// The first sweep marks, the second deletes what was left, and the point that was removed; its packs are marked then.
await sweep({ vaults: [vault], key: keys, clock });
clock.advance(2 * DAY);
await sweep({ vaults: [vault], key: keys, clock });
await verify({ vaults: [vault], keys: readKeyOf(keys), depth: 'data', remember: true, clock });
clock.advance(DAY);
live.push(await backUpDaily(5));
await remove(removed, 'by hand');
const verifiedAt = clock.now();
await verify({ vaults: [vault], keys: readKeyOf(keys), depth: 'data', remember: true, clock });
const garbage = await leaveGarbage(6);
const marking = await sweep({ vaults: [vault], key: keys, clock });
const marked = { at: new Date(clock.now()).toISOString(), newly: garbage.toSorted(), waiting: marking.waiting };
clock.advance(60_000);
const leaseTaken = clock.now();
await Lease.take(vault, keys, clock, undefined, 1_800_000);

const expected = {
  repository: keys.repositoryId,
  readKey: formatReadKey(keys),
  maintainKey: formatMaintainKey(keys),
  passphrase: PASSPHRASE,
  live,
  removed: { id: removed, reason: 'by hand' },
  swept: { id: swept, reason: 'retention' },
  marked,
  verified: { last: new Date(verifiedAt).toISOString() },
  lease: { takenAt: new Date(leaseTaken).toISOString(), expiresAt: new Date(leaseTaken + 1_800_000).toISOString() },
};
const files: [string, Uint8Array | string][] = [
  ...[...vault.objects].map(([key, bytes]): [string, Uint8Array] => [join('vault', key), bytes]),
  ['expected.json', `${JSON.stringify(expected, undefined, 2)}\n`],
  ['units.json', `${JSON.stringify(computeKeeping(), undefined, 2)}\n`],
];
for (const [name, bytes] of files) {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}
