import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatMaintainKey, formatWriteKey, writeKeyOf } from '../../../src/keys/index.ts';
import { findLivePoints, openReader, removePoint, sweep, verify } from '../../../src/repository/index.ts';
import { DEFAULT_GRACE } from '../../../src/repository/sweep/limits.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { clockAhead, makeSceneIn, readBack } from '../scene.ts';
import type { Scene } from '../scene.ts';

/**
 * What goes by from round to round, by the clocks that everybody here goes by: what one round marked, the next one deletes. Within a
 * round no backup can last as long, however busy the machine is.
 */
const ROUND = DEFAULT_GRACE + 3_600_000;
const BACKUP = fileURLToPath(new URL('../backup.child.ts', import.meta.url));
const SWEEP = fileURLToPath(new URL('sweep.child.ts', import.meta.url));

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly lines: () => string[];
  /** What it said was wrong. */
  readonly said: () => string;
}

describe('sweeps that are killed at any moment, two at once, while backups run and are killed', () => {
  let folder: string;
  let scene: Scene<Vault>;
  let paths: string[];
  const running: Running[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-sweep-'));
    paths = [join(folder, 'one'), join(folder, 'two')];
    for (const path of paths) await mkdir(path);
    scene = await makeSceneIn(await Promise.all(paths.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path }))));
    await writeFile(join(folder, 'write'), formatWriteKey(writeKeyOf(scene.keys)), { mode: 0o600 });
    await writeFile(join(folder, 'maintain'), formatMaintainKey(scene.keys), { mode: 0o600 });
  });
  afterEach(async () => {
    for (const { child } of running) child.kill('SIGKILL');
    for (const vault of scene.vaults) await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  function start(ahead: number, script: string, key: string, ...args: readonly string[]): Running {
    const env = { ...process.env, AHEAD: String(ahead) };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, join(folder, key), ...args, ...paths], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const one = { child, lines: () => output.split('\n').slice(1, -1), said: () => errors };
    running.push(one);
    return one;
  }

  async function kill({ child, said }: Running): Promise<void> {
    // Whoever ended by itself says why.
    expect({ exitCode: child.exitCode, said: said() }).toEqual({ exitCode: null, said: '' });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  it('lose no point that was not removed, and free the rest', async () => {
    const reported: string[] = [];
    const removed = new Set<string>();
    let deleted = 0;
    const rounds = 4;
    for (let round = 0; round < rounds; round++) {
      const ahead = round * ROUND;
      const backup = start(ahead, BACKUP, 'write', String(round * 3));
      const sweeps = [start(ahead, SWEEP, 'maintain'), start(ahead, SWEEP, 'maintain')];
      while (backup.lines().length < 2 && backup.child.exitCode === null) await sleep(10);
      const [oldest] = await findLivePoints(scene.vaults, 'prod', scene.keys, {});
      if (oldest !== undefined) {
        await removePoint(scene.vaults, scene.keys, oldest, 'a test', { clock: clockAhead(ahead) });
        removed.add(oldest.id);
      }
      await sleep((round * 137) % 400);
      for (const one of [...sweeps, backup]) await kill(one);
      reported.push(...backup.lines().map((line) => line.split(' ', 1).join('')));
      deleted += sweeps.flatMap((one) => one.lines()).reduce((sum, line) => sum + (Number(line) || 0), 0);
      const { findings } = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' });
      expect(findings.filter(({ points, message }) => points.length > 0 && message !== 'Another vault has this point')).toEqual([]);
    }
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const there = (await reader.listPoints()).map(({ id }) => id);
    expect(there).toEqual(expect.arrayContaining(reported.filter((id) => !removed.has(id))));
    for (const id of there) expect(Object.keys(await readBack(await reader.open(id)))).toHaveLength(3);
    // The leases of those that were killed have ended by then.
    const clock = clockAhead(rounds * ROUND);
    for (let round = 0; round < 2; round++) deleted += (await sweep({ vaults: scene.vaults, key: scene.keys, grace: 0, clock })).vaults.reduce((sum, one) => sum + one.deleted, 0);
    expect(deleted).toBeGreaterThan(0);
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ unreferenced: 0 });
    for (const id of there) expect(Object.keys(await readBack(await reader.open(id)))).toHaveLength(3);
  });
});
