import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatWriteKey, parseWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import { openReader, openWriter, unlock, verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { runRescue } from './rescue.ts';
import { readBack } from './scene.ts';
import { computeUnits, WRITE_KEY } from './vectors/units.ts';

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
});

describe('a vault written when format 1 was settled', () => {
  const expected = expectedSchema.parse(JSON.parse(readFileSync(join(HERE, 'expected.json'), 'utf8')));
  let folder: string;
  let vault: Vault;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-vectors-'));
    await cp(join(HERE, 'vault'), join(folder, 'vault'), { recursive: true });
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
