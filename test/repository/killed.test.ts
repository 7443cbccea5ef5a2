import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import { openReader, verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { generationRecords } from './killed.ts';
import { backUp, expectSame, makeSceneIn, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

const CHILD = fileURLToPath(new URL('backup.child.ts', import.meta.url));

describe('backups that are killed at any moment', () => {
  let folder: string;
  let scene: Scene<Vault>;
  let paths: string[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-killed-'));
    paths = [join(folder, 'one'), join(folder, 'two')];
    for (const path of paths) await mkdir(path);
    scene = await makeSceneIn(
      await Promise.all(paths.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path }))),
    );
    await writeFile(join(folder, 'key'), formatWriteKey(writeKeyOf(scene.keys)), { mode: 0o600 });
  });
  afterAll(async () => {
    for (const vault of scene.vaults) await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Lets the child run until it has reported `points` points and for `ms` more, then kills it; gives the ids it had reported. */
  async function runAndKill(generation: number, points: number, ms: number): Promise<string[]> {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CHILD, join(folder, 'key'), String(generation), ...paths],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      let output = '';
      const exited = once(child, 'exit');
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      while (output.split('\n').length < points + 2 && child.exitCode === null) await sleep(2);
      expect(child.exitCode).toBeNull();
      await sleep(ms);
      child.kill('SIGKILL');
      await exited;
      // A line may have been cut off in the middle.
      return output.split('\n').slice(1, -1);
    } finally {
      child.kill('SIGKILL');
    }
  }

  it('leave whole points only, which the next ones build on', async () => {
    const reported: string[] = [];
    for (let round = 0; round < 20; round++)
      reported.push(...(await runAndKill(round, round % 3 === 0 ? 1 : 0, (round * 37) % 200)));
    expect(
      (await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).findings.filter(
        (finding) => finding.kind !== 'missing',
      ),
    ).toEqual([]);
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const points = await reader.listPoints();
    const ids = points.map((point) => point.id);
    // What was acknowledged is there, in every vault.
    for (const id of reported) expect(points.find((point) => point.id === id)?.vaults).toHaveLength(2);
    for (const id of ids) {
      const point = await reader.open(id);
      const { generation } = point.manifest as { generation: number };
      const streams = await readBack(point);
      expectSame(
        streams,
        Object.fromEntries([0, 1, 2].map((part) => [`part-${part}`, generationRecords(generation, part)])),
      );
    }
    const next = await backUp(scene, { all: generationRecords(0, 0) });
    expect(next.vaults).toHaveLength(2);
    expect(next.header.previous.length).toBeGreaterThan(0);
  });
});
