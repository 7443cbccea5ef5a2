import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { generateAuditKey } from '../../src/keys/index.ts';
import { replicate, sweep, verify } from '../../src/repository/index.ts';
import { openTrail } from '../../src/server/audit/trail.ts';
import { verifyTrail } from '../../src/server/audit/verify.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { rescueReaderIn, runRescue } from '../repository/rescue.ts';
import { backUp, makeScene, makeSceneIn, PASSPHRASE, testClock } from '../repository/scene.ts';

const key = generateAuditKey();

async function recordIn(vaults: readonly Vault[]): Promise<void> {
  const trail = await openTrail({ vaults, key, clock: systemClock, warn: ({ message }) => expect.unreachable(message) });
  trail.add({ who: { kind: 'nobody' }, from: '192.0.2.7', what: { method: 'GET', route: '/v1/plans', ids: {} }, outcome: 'refused', status: 401 });
  await trail.close();
}

describe('an audit trail in a vault with points', () => {
  it('is nothing to verification, replication and the sweep, which leave it as it is', async () => {
    const clock = testClock();
    const scene = await makeScene('a', 'b');
    await backUp(scene, { all: ['one', 'two'] }, { clock });
    const before = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    await recordIn(scene.vaults.slice(0, 1));
    const after = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    expect([after.findings, after.unreferenced]).toEqual([[], before.unreferenced]);
    await replicate({ vaults: scene.vaults });
    for (let i = 0; i < 3; i++) {
      clock.advance(5 * 24 * 3_600_000);
      await sweep({ vaults: scene.vaults, key: scene.keys, clock });
    }
    expect(await verifyTrail(scene.vaults.slice(0, 1), { keys: [key] })).toMatchObject({ ok: true, servers: [{ records: 1 }] });
  });

  it('is nothing to the rescue reader', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-audit-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const vault = await openVault({ type: 'directory', path: join(folder, 'vault'), name: 'a' }, { create: true });
    const scene = await makeSceneIn([vault]);
    await backUp(scene, { all: ['one', 'two'] });
    await recordIn([vault]);
    await vault.close();
    await cp(join(folder, 'vault'), join(folder, 'copy'), { recursive: true });
    expect(await readdir(join(folder, 'copy', 'audit'))).toEqual([key.server]);
    const reader = await rescueReaderIn(join(folder, 'copy'));
    const listed = await runRescue(reader, join(folder, 'copy'), ['list']);
    expect([listed.code, listed.stdout.includes('prod'), (listed.stdout + listed.stderr).includes('audit')]).toEqual([0, true, false]);
    const verified = await runRescue(reader, join(folder, 'copy'), ['verify'], `${PASSPHRASE}\n`);
    expect([verified.code, (verified.stdout + verified.stderr).includes('audit/')]).toEqual([0, false]);
    expect(await readFile(reader, 'utf8')).not.toContain("'audit/");
  });
});
