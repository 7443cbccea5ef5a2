import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  aboutSlot,
  formatMaintainKey,
  formatReadKey,
  formatWriteKey,
  openSlot,
  parseKmsKey,
  parseMaintainKey,
  parseReadKey,
  parseWriteKey,
  slotId,
  writeKeyOf,
} from '../../src/keys/index.ts';
import type { KmsProvider } from '../../src/keys/index.ts';
import { contextBytes } from '../../src/keys/kms/provider.ts';
import { listSlots, openReader, openWriter, unlock, unlockAs, verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { runRescue } from './rescue.ts';
import { readBack } from './scene.ts';
import { computeUnits, ROLE_KEYS, WRITE_KEY } from './vectors/units.ts';

const HERE = fileURLToPath(new URL('vectors/', import.meta.url));
const RESCUE = fileURLToPath(new URL('../../src/repository/rescue/lifeboat-rescue.mjs', import.meta.url));

const expectedSchema = z.object({
  repository: z.string(),
  writeKey: z.string(),
  passphrase: z.string(),
  identities: z.array(z.string()),
  points: z.array(z.object({ id: z.string(), streams: z.record(z.string(), z.array(z.string())) })),
});

describe('fixed inputs give what they always gave', () => {
  const frozen = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(HERE, 'units.json'), 'utf8')));
  it.each(Object.entries(computeUnits()))('%s', (name, value) => {
    expect(value).toEqual(frozen[name]);
  });

  it('writeKey', () => {
    expect(WRITE_KEY.text).toBe(frozen['writeKey']);
  });

  it('the keys of roles', () => {
    expect(ROLE_KEYS).toEqual(JSON.parse(readFileSync(join(HERE, 'roles', 'units.json'), 'utf8')));
  });
});

describe.each([
  ['when format 1 was settled', HERE],
  ['when the roles got keys of their own', join(HERE, 'roles')],
])('a vault written %s', (_when, vectors) => {
  const expected = expectedSchema.parse(JSON.parse(readFileSync(join(vectors, 'expected.json'), 'utf8')));
  let folder: string;
  let vault: Vault;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-vectors-'));
    await cp(join(vectors, 'vault'), join(folder, 'vault'), { recursive: true });
    vault = await openDirectoryVault({ name: 'vector', path: join(folder, 'vault') });
  });
  afterAll(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('opens with its passphrase and its identities', async () => {
    for (const secrets of [
      { passphrases: [expected.passphrase] },
      ...expected.identities.map((identity) => ({ identities: [identity] })),
    ]) {
      const { keys } = await unlock([vault], secrets);
      expect(keys.repositoryId).toBe(expected.repository);
      expect(formatWriteKey(writeKeyOf(keys))).toBe(expected.writeKey);
    }
  });

  it('reads the same', async () => {
    const { keys } = await unlock([vault], { passphrases: [expected.passphrase] });
    const reader = await openReader({ vaults: [vault], keys });
    expect((await reader.listPoints()).map((point) => point.id)).toEqual(expected.points.map((point) => point.id));
    for (const { id, streams } of expected.points) {
      const read = await readBack(await reader.open(id));
      const hashes = Object.fromEntries(
        Object.entries(read).map(([name, records]) => [
          name,
          records.map((record) => createHash('sha256').update(record).digest('hex')),
        ]),
      );
      expect(hashes).toEqual(streams);
    }
    expect(await verify({ vaults: [vault], keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('reads the same with the rescue reader', async () => {
    await writeFile(join(folder, 'identity'), expected.identities[1] ?? '');
    const options = ['--vault', join(folder, 'vault'), '--identity-file', join(folder, 'identity')];
    expect(await runRescue(RESCUE, folder, ['verify', ...options])).toMatchObject({ code: 0 });
    for (const { id, streams } of expected.points) {
      const { stdout } = await runRescue(RESCUE, folder, ['extract', id, '--ndjson', ...options]);
      expect(stdout.trimEnd().split('\n')).toHaveLength(Object.values(streams).flat().length);
    }
  });

  it('is continued by a writer of today, which stores nothing twice', async () => {
    const writer = await openWriter({ vaults: [vault], writeKey: parseWriteKey(expected.writeKey) });
    const session = await writer.begin('harbour');
    const stream = session.records();
    const { keys } = await unlock([vault], { passphrases: [expected.passphrase] });
    const reader = await openReader({ vaults: [vault], keys });
    const old = await readBack(await reader.open('latest'));
    for (const record of Object.values(old).flat()) await stream.write(record);
    await stream.end();
    const { header } = await session.commit({ at: '2026-03-15T00:00:00.000Z', complete: true, manifest: {} });
    expect(header.stats.newChunks).toBe(0);
    expect(header.previous.map((previous) => previous.id)).toEqual([expected.points.at(-1)?.id]);
  });
});

describe('the vault written when the roles got keys of their own', () => {
  const folder = join(HERE, 'roles');
  const expected = z
    .object({ readKey: z.string(), maintainKey: z.string(), readIdentity: z.string(), maintainIdentity: z.string(), removedIdentity: z.string(), passphrase: z.string() })
    .parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));
  let vault: Vault;
  beforeAll(async () => {
    vault = await openDirectoryVault({ name: 'vector', path: join(folder, 'vault') });
  });
  afterAll(() => vault.close());

  it('gives each role its key, from its slot and as it was exported', async () => {
    const { keys } = await unlock([vault], { passphrases: [expected.passphrase] });
    expect(formatReadKey(keys)).toBe(expected.readKey);
    expect(formatMaintainKey(keys)).toBe(expected.maintainKey);
    expect(formatReadKey(await unlockAs('read', [vault], { identities: [expected.readIdentity] }))).toBe(expected.readKey);
    expect(formatMaintainKey(await unlockAs('maintain', [vault], { identities: [expected.maintainIdentity] }))).toBe(expected.maintainKey);
    const roleKeys = [{ role: 'read', keys: parseReadKey(expected.readKey) }] as const;
    const reader = await openReader({ vaults: [vault], keys: await unlockAs('read', [vault], { roleKeys }) });
    await expect(reader.open('latest')).resolves.toBeDefined();
  });

  it('has a slot that the maintain key took out of use', async () => {
    await expect(unlock([vault], { identities: [expected.removedIdentity] })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
    const slots = await listSlots([vault], parseMaintainKey(expected.maintainKey));
    expect(slots.map(({ kind, role }) => `${kind} ${role}`).sort()).toEqual(['passphrase owner', 'post-quantum maintain', 'post-quantum owner', 'x25519 owner', 'x25519 read']);
  });

  it('is told of by the rescue reader: what opens it, and what that holds', async () => {
    const { code, stdout } = await runRescue(RESCUE, folder, ['slots', '--vault', join(folder, 'vault')]);
    expect([code, stdout.trimEnd().split('\n').map((line) => line.slice(14)).toSorted()]).toEqual([
      0,
      [
        'a passphrase: --passphrase-file FILE, or typed in',
        'an age identity: --identity-file FILE (AGE-SECRET-KEY-1…)',
        'an age identity: --identity-file FILE (AGE-SECRET-KEY-1…)  (holds the read key alone)',
        'an age identity: --identity-file FILE (AGE-SECRET-KEY-1…)  (was removed)',
        'an age identity: --identity-file FILE (AGE-SECRET-KEY-PQ-1…)',
        'an age identity: --identity-file FILE (AGE-SECRET-KEY-PQ-1…)  (holds the maintain key alone: it opens no points)',
      ],
    ]);
  });

  it('opens in the rescue reader with what reads, and with nothing else', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'lifeboat-vectors-'));
    try {
      const run = async (option: string, text: string): Promise<number> => {
        await writeFile(join(temporary, 'key'), `${text}\n`);
        return (await runRescue(RESCUE, temporary, ['extract', 'latest', '--ndjson', '--vault', join(folder, 'vault'), option, join(temporary, 'key')])).code;
      };
      expect(await run('--key-file', expected.readKey)).toBe(0);
      expect(await run('--identity-file', expected.readIdentity)).toBe(0);
      expect(await run('--identity-file', expected.maintainIdentity)).toBe(1);
      expect(await run('--key-file', expected.maintainKey)).toBe(1);
      expect(await run('--key-file', expected.readKey.slice(0, -3))).toBe(1);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
});

describe('slots locked by key services, when there first were some', () => {
  const folder = join(HERE, 'key-services');
  const expected = z
    .object({
      repository: z.string(),
      writeKey: z.string(),
      readKey: z.string(),
      maintainKey: z.string(),
      slots: z.array(z.object({ slot: z.string(), key: z.string(), version: z.string(), role: z.enum(['owner', 'read', 'maintain']), wrapped: z.string(), unwrapped: z.string() })),
    })
    .parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));

  it.each(expected.slots)('$key ($role)', async ({ slot, key, version, role, wrapped, unwrapped }) => {
    const bytes = readFileSync(join(folder, slot));
    expect(slotId(bytes)).toBe(slot);
    expect(aboutSlot(bytes)).toMatchObject({ role, kms: { version, repositoryId: expected.repository } });
    // What the service is asked, and what it answered: nobody need be called.
    const provider: KmsProvider = {
      key: parseKmsKey(key),
      wrap: () => Promise.reject(new Error('nothing is to be locked')),
      unwrap: (asked, context) => {
        expect([asked.version, Buffer.from(asked.bytes).toString('hex')]).toEqual([version, wrapped]);
        expect(contextBytes(context).toString()).toBe(`lifeboat/1/slot\n${expected.repository}\n${role}`);
        return Promise.resolve(Buffer.from(unwrapped, 'hex'));
      },
    };
    const opened = await openSlot(bytes, { kms: [provider] });
    const texts = {
      owner: opened?.role === 'owner' && formatWriteKey(opened.keys),
      read: opened?.role === 'read' && formatReadKey(opened.keys),
      maintain: opened?.role === 'maintain' && formatMaintainKey(opened.keys),
    };
    expect(texts[role]).toBe({ owner: expected.writeKey, read: expected.readKey, maintain: expected.maintainKey }[role]);
  });
});
