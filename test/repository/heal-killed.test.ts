import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import { verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { backUp, flipBit, madeUpList, makeSceneIn, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

const CHILD = fileURLToPath(new URL('heal.child.ts', import.meta.url));
const ROUNDS = 8;

/** Every file of a folder, by its path in it. What a killed upload leaves is hidden, and none of them. */
async function filesIn(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const seen = files.filter((path) => !path.split('/').some((part) => part.startsWith('.')));
  return new Map(await Promise.all(seen.sort().map(async (path) => [path, await readFile(join(folder, path))] as const)));
}

describe('healing that is killed at any moment', () => {
  let folder: string;
  let good: string;
  let scene: Scene<Vault>;
  let truth: Map<string, Buffer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-heal-'));
    good = join(folder, 'good');
    await mkdir(good);
    scene = await makeSceneIn([await openDirectoryVault({ name: 'good', path: good })]);
    await writeFile(join(folder, 'key'), formatWriteKey(writeKeyOf(scene.keys)), { mode: 0o600 });
    const clock = testClock();
    for (let generation = 0; generation < 12; generation++) {
      await backUp(scene, { all: madeUpList(30, { generation: () => generation }) }, { clock });
      clock.advance(60_000);
    }
    truth = await filesIn(good);
  });
  afterAll(async () => {
    for (const vault of scene.vaults) await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function runAndKill(bad: string, healed: number, ms: number): Promise<boolean> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, join(folder, 'key'), bad, good], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let output = '';
      const exited = once(child, 'exit');
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      while (output.split('\n').length < healed + 2 && child.exitCode === null) await sleep(1);
      await sleep(ms);
      child.kill('SIGKILL');
      await exited;
      return output.includes('done');
    } finally {
      child.kill('SIGKILL');
    }
  }

  it('leaves each object wrong, missing or right, the other vault as it was, and is done by the next run', async () => {
    const bad = join(folder, 'bad');
    await cp(good, bad, { recursive: true });
    // Every object but the last is wrong in some way.
    let number = 0;
    for (const [path, bytes] of truth) {
      number++;
      await rm(join(bad, path));
      if (number % 4 !== 0) await writeFile(join(bad, path), number % 2 === 0 ? flipBit(bytes, bytes.length >> 1) : bytes.subarray(0, number));
    }
    let right = 0;
    let killed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      if (!(await runAndKill(bad, round % 3, (round * 7) % 20))) killed++;
      expect(await filesIn(good)).toEqual(truth);
      const now = await filesIn(bad);
      const rightNow = [...now].filter(([path, bytes]) => truth.get(path)?.equals(bytes) === true).length;
      // What was healed stays healed.
      expect(rightNow).toBeGreaterThanOrEqual(right);
      right = rightNow;
    }
    expect(killed).toBeGreaterThan(0);
    const vaults = await Promise.all([bad, good].map((path) => openDirectoryVault({ name: path, path })));
    await verify({ vaults, keys: scene.keys, depth: 'data', heal: 'heal' });
    expect(await filesIn(bad)).toEqual(truth);
    expect((await verify({ vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    for (const vault of vaults) await vault.close();
  });
});
