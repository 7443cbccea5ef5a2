import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { generateRepositoryKeys, recipientOf, sealSlot } from '../../src/keys/index.ts';
import { backup } from '../../src/pipeline/backup.ts';
import { pointSource } from '../../src/pipeline/sources.ts';
import { createRepository, openReader, unlock, verify } from '../../src/repository/index.ts';
import type { StateSource } from '../../src/site/types.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { differencesTo, openPlace, restoreInto, troubles } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { fillPlain, rewriteSome } from './filling.ts';
import { editPoint } from './forgery.ts';
import { randomFrom } from './random.ts';
import { digestsOf } from './state.ts';
import { makeStore } from './store.ts';
import type { Store } from './store.ts';

let folder: string;
let place: Place;
let target: Place;
let store: Store;
/** The folder of a vault with two points. Only copied. */
let intact: string;
let points: { readonly id: string; readonly state: Record<string, string> }[];
let objects: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-damage-'));
  intact = join(folder, 'intact');
  [place, target, store] = await Promise.all([
    openPlace({ name: 'prod', controllers: false }),
    openPlace({ name: 'target', controllers: false }),
    makeStore(folder, { intact: { type: 'directory', path: intact } }),
  ]);
  await fillPlain(place.site.api);
  points = [];
  for (const seed of [1, 2]) {
    await rewriteSome(place.site.api, randomFrom(seed));
    const { point } = await backup({ connection: place.connection, writer: store.writer, site: 'prod' });
    points.push({ id: point.header.id, state: await digestsOf(await place.cut()) });
  }
  objects = (await readdir(intact, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(intact.length + 1))
    .sort();
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** A copy of the vault with one object changed, or without it. */
async function harmed(key: string, harm: (bytes: Buffer) => Buffer | undefined): Promise<Vault> {
  const path = await mkdtemp(join(folder, 'harmed-'));
  await cp(intact, path, { recursive: true });
  const file = join(path, key);
  const changed = harm(await readFile(file).catch(() => Buffer.alloc(0)));
  await unlink(file).catch(() => undefined);
  await mkdir(dirname(file), { recursive: true });
  if (changed !== undefined) await writeFile(file, changed);
  return openDirectoryVault({ name: 'harmed', path });
}

const whole = (): Promise<Vault> => openDirectoryVault({ name: 'whole', path: intact });

/** What is read by somebody who has nothing but these vaults and his identity. */
async function read(vaults: readonly Vault[], id = 'latest'): Promise<{ id: string; state: Record<string, string>; source: StateSource; warnings: readonly string[] }> {
  const warnings: string[] = [];
  const onWarning = ({ where = '' }: Warning): void => void warnings.push(where);
  const { keys } = await unlock(vaults, { identities: [store.identity] }, { onWarning });
  const reader = await openReader({ vaults, keys, onWarning });
  const point = await reader.open(id, { site: 'prod' });
  const source = pointSource(point, { onWarning });
  return { id: point.header.id, state: await digestsOf(source), source, warnings };
}

/** What comes of reading the newest point from one vault: `newest` when it was read as it was made, else the error's code. */
async function readAlone(vault: Vault): Promise<string> {
  try {
    const { state } = await read([vault], points[1]?.id);
    expect(state).toEqual(points[1]?.state);
    return 'newest';
  } catch (error) {
    if (isLifeboatError(error)) return error.code;
    throw error;
  }
}

/** What was found about one object in the vault that was harmed, and nothing about anything else there. */
async function findingsAbout(key: string, vaults: readonly Vault[], depth: 'structure' | 'data', withKeys: boolean): Promise<readonly string[]> {
  const { findings } = await verify({ vaults, depth, ...(withKeys && { keys: store.keys }) });
  expect(findings.filter((finding) => finding.vault !== 'harmed' || finding.object !== key)).toEqual([]);
  return findings.map((finding) => finding.kind);
}

const flip = (bytes: Buffer, at: number): Buffer => {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return flipped;
};
const HARMS = {
  'has one bit changed at its beginning': (bytes: Buffer) => flip(bytes, 0),
  'has one bit changed in its middle': (bytes: Buffer) => flip(bytes, bytes.length >> 1),
  'has one bit changed at its end': (bytes: Buffer) => flip(bytes, bytes.length - 1),
  'is one byte short': (bytes: Buffer) => bytes.subarray(0, -1),
  'is empty': () => Buffer.alloc(0),
  'is lost': () => undefined,
} as const;
type HarmName = keyof typeof HARMS;

interface KindCase {
  readonly name: string;
  readonly key: () => string | Promise<string>;
  /** What may come of reading the newest point from that vault alone: see `readAlone`. */
  readonly alone: readonly string[];
  /** Whether somebody who reads from both vaults is told. What is lost leaves no trace where nothing else names it. */
  readonly told: 'always' | 'when it is damaged' | 'never';
}

const firstUnder = (prefix: string): string => objects.find((key) => key.startsWith(prefix)) ?? prefix;
const largestUnder = async (prefix: string): Promise<string> => {
  const sized = await Promise.all(objects.filter((key) => key.startsWith(prefix)).map(async (key) => ({ key, size: (await stat(join(intact, key))).size })));
  return sized.toSorted((a, b) => b.size - a.size)[0]?.key ?? prefix;
};
const newestPoint = (): string => `points/prod/${points[1]?.id ?? ''}`;

const KINDS: readonly KindCase[] = [
  { name: 'the header', key: () => 'lifeboat.json', alone: ['newest'], told: 'always' },
  { name: 'the key slot', key: () => firstUnder('keys/'), alone: ['LB_KEY_WRONG', 'LB_KEY_MISSING', 'LB_REPO_DAMAGED', 'LB_REPO_MISSING'], told: 'when it is damaged' },
  { name: 'the rescue reader', key: () => objects.find((key) => key.startsWith('rescue/') && key.endsWith('.mjs')) ?? '', alone: ['newest'], told: 'never' },
  { name: 'a pack', key: () => largestUnder('packs/'), alone: ['LB_REPO_DAMAGED'], told: 'always' },
  { name: 'an index object', key: () => firstUnder('index/'), alone: ['newest'], told: 'never' },
  { name: 'the newest point', key: newestPoint, alone: ['LB_REPO_DAMAGED', 'LB_REPO_FORGED', 'LB_POINT_NOT_FOUND'], told: 'when it is damaged' },
];

const CASES = KINDS.flatMap((kind) => (Object.keys(HARMS) as HarmName[]).map((harm) => ({ ...kind, harm })));

describe('when one object of a vault is harmed', () => {
  it.each(CASES)('$name that $harm is found and named, and nothing wrong is read', async ({ key: keyOf, harm, alone, told }) => {
    const key = await keyOf();
    const vault = await harmed(key, HARMS[harm]);
    const both = [vault, await whole()];
    const lost = harm === 'is lost';

    // That the newest point is lost can be known only by another vault.
    const known = lost && key === newestPoint() ? both : [vault];
    expect(await findingsAbout(key, known, 'data', true)).toHaveLength(1);
    expect(await findingsAbout(key, both, 'data', false)).toHaveLength(1);
    for (const depth of lost ? (['structure'] as const) : []) expect(await findingsAbout(key, known, depth, true)).toHaveLength(1);

    expect(alone).toContain(await readAlone(vault));

    const mustTell = told === 'always' || (told === 'when it is damaged' && !lost);
    for (const vaults of [both, both.toReversed()]) {
      const { id, state, warnings } = await read(vaults);
      expect({ id, state }).toEqual(points[1]);
      expect(warnings.length > 0 || !mustTell || vaults[0] !== vault).toBe(true);
    }
  });

  it('the newest point being lost, the one before is the latest that this vault has', async () => {
    expect(await read([await harmed(newestPoint(), HARMS['is lost'])])).toMatchObject(points[0] ?? {});
  });

  it('a restore stops before it writes anything, or takes the other vault and says so', async () => {
    const pack = await largestUnder('packs/');
    const vault = await harmed(pack, HARMS['has one bit changed in its middle']);
    const open = async (vaults: readonly Vault[], warnings: string[]): Promise<StateSource> => {
      const reader = await openReader({ vaults, keys: store.keys });
      return pointSource(await reader.open('latest'), { onWarning: ({ kind, where = '' }) => void warnings.push(`${kind} ${where}`) });
    };
    const before = await digestsOf(await target.cut());
    await expect(restoreInto(target, await open([vault], []))).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED', where: pack });
    expect(await digestsOf(await target.cut())).toEqual(before);

    const warnings: string[] = [];
    const source = await open([vault, await whole()], warnings);
    expect(troubles(await restoreInto(target, source))).toEqual([]);
    expect(warnings).toContain(`pack-unreadable vault "harmed", ${pack}`);
    expect(await differencesTo(source, target)).toEqual([]);
  });
});

describe('a point that somebody forged', () => {
  const forgedBy = async (edit: (line: string) => string): Promise<(bytes: Buffer) => Buffer> => {
    const { signingKey } = await generateRepositoryKeys();
    return (bytes) => editPoint(bytes, edit, signingKey);
  };
  const newest = (): Promise<Buffer> => readFile(join(intact, newestPoint()));
  const later = '20990101T000000Z-00000000';

  it.each([
    { name: 'by an edit', key: newestPoint, harm: async () => (bytes: Buffer) => editPoint(bytes, (line) => line.replace('"complete":true', '"complete":false')) },
    { name: 'by an edit, signed with another key', key: newestPoint, harm: () => forgedBy((line) => line.replace('"complete":true', '"complete":false')) },
    { name: 'by signing it with another key', key: newestPoint, harm: () => forgedBy((line) => line) },
    { name: 'by copying it under a later id', key: () => `points/prod/${later}`, harm: async () => () => newest() },
    { name: 'under a later id, signed with another key', key: () => `points/prod/${later}`, harm: async () => {
        const forge = await forgedBy((line) => line.replaceAll(points[1]?.id ?? '', later));
        return async () => forge(await newest());
      } },
    { name: 'by taking the contents of another', key: newestPoint, harm: async () => {
        const older = await readFile(join(intact, `points/prod/${points[0]?.id ?? ''}`));
        return (bytes: Buffer) => Buffer.concat([signedPart(bytes), older.subarray(signedPart(older).length)]);
      } },
    { name: 'by bringing back the one before', key: newestPoint, harm: async () => () => readFile(join(intact, `points/prod/${points[0]?.id ?? ''}`)) },
  ])('$name is refused, and named', async ({ key: keyOf, harm }) => {
    const key = keyOf();
    const forge = await harm();
    const bytes = await forge(await newest());
    const vault = await harmed(key, () => bytes);
    const refused = expect.stringMatching(/^LB_REPO_(?:FORGED|DAMAGED)$/) as string;
    await expect(read([vault])).rejects.toMatchObject({ code: refused, where: `vault "harmed", ${key}` });
    expect(await findingsAbout(key, [vault], 'structure', true)).toHaveLength(1);
    expect(await findingsAbout(key, [vault], 'data', false)).toHaveLength(1);
    // The true one is read from where it is.
    expect(await read([vault, await whole()], points[1]?.id)).toMatchObject(points[1] ?? {});
  });

  it('for another site is refused', async () => {
    const bytes = await newest();
    const key = `points/other/${points[1]?.id ?? ''}`;
    const vault = await harmed(key, () => bytes);
    const reader = await openReader({ vaults: [vault], keys: store.keys });
    await expect(reader.open('latest', { site: 'other' })).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
    expect(await findingsAbout(key, [vault], 'structure', true)).toEqual(['forged']);
  });
});

describe('a vault that somebody replaced by another repository, made for the same identity', () => {
  it('is noticed where there is another vault', async () => {
    const keys = await generateRepositoryKeys();
    const path = await mkdtemp(join(folder, 'harmed-'));
    const vault = await openDirectoryVault({ name: 'harmed', path });
    await createRepository({ vaults: [vault], keys, slots: [await sealSlot(keys, { kind: 'age', recipient: await recipientOf(store.identity) })] });
    for (const vaults of [
      [vault, await whole()],
      [await whole(), vault],
    ]) {
      await expect(read(vaults)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
    }
    const { findings } = await verify({ vaults: [await whole(), vault], depth: 'structure' });
    expect(findings).toContainEqual(expect.objectContaining({ vault: 'harmed', object: 'lifeboat.json', kind: 'forged' }));
  });
});

function signedPart(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.indexOf(10, bytes.indexOf(10) + 1) + 1);
}
