// Backs up into a vault on a disk that only this process sees, while that disk is full or read-only, and after that;
// says what it saw. Run by tests as the only one who may mount something.
// usage: node disk.child.ts full|read-only DISK KUBECONFIG
import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isLifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { backup } from '../../src/pipeline/backup.ts';
import { liveSource } from '../../src/pipeline/sources.ts';
import { verify } from '../../src/repository/index.ts';
import { connectSite } from '../../src/site/connect.ts';
import { digestsOf } from './state.ts';
import { makeStore, stateIn } from './store.ts';
import type { Store } from './store.ts';

const [trouble = '', disk = '', kubeconfig = ''] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'lifeboat-disk-'));
const connection = await connectSite({ name: 'prod', kubeconfig });

/** A backup's outcome in one line: the vaults that have the point, those that have not, and the warnings; or the error. */
async function attempt(store: Store): Promise<string> {
  const warnings: Warning[] = [];
  try {
    const { point } = await backup({ connection, writer: store.writer, site: 'prod', onWarning: (warning) => warnings.push(warning) });
    const failed = point.failed.map(({ vault, code }) => `, not ${vault}: ${code}`).join('');
    return `${point.vaults.join(', ')}${failed}${warnings.map(({ kind }) => `, ${kind}`).join('')}`;
  } catch (error) {
    if (!isLifeboatError(error)) throw error;
    return `${error.code} ${error.where?.split(',')[0] ?? ''}`;
  }
}

/** For each vault its points, and all that is found beside points that a vault missed. */
async function inspect(store: Store): Promise<string[]> {
  const { vaults, findings } = await verify({ vaults: store.vaults, keys: store.keys, depth: 'data' });
  const points = vaults.map(({ name, points, intactPoints }) => `${name}: ${intactPoints} of ${points} points`);
  const found = findings.filter(({ kind, object }) => kind !== 'missing' || !object.startsWith('points/'));
  return [...points, ...found.map(({ vault, object, message }) => `${vault} ${object}: ${message}`)];
}

async function holdsNow(store: Store, vault: number): Promise<boolean> {
  const read = await digestsOf(await stateIn(store.vaults.slice(vault, vault + 1), store.keys, 'latest'));
  return JSON.stringify(read) === JSON.stringify(await digestsOf(await liveSource(connection)));
}

const ballast = join(disk, 'ballast');
async function leaveFree(bytes: number): Promise<void> {
  await rm(ballast, { force: true });
  const { bavail, bsize } = await statfs(disk);
  await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}
async function remount(mode: 'ro' | 'rw'): Promise<void> {
  await promisify(execFile)('mount', ['-o', `remount,${mode}`, disk]);
}

/** What ails the disk; `left`: bytes that may still be written, where that can be said. */
const begin = async (left: number): Promise<void> => (trouble === 'full' ? leaveFree(left) : remount('ro'));
const end = async (): Promise<void> => (trouble === 'full' ? rm(ballast, { force: true }) : remount('rw'));

try {
  const both = await makeStore(folder, { disk: { type: 'directory', path: join(disk, 'both') }, safe: { type: 'directory', path: join(folder, 'safe') } });
  const alone = await makeStore(folder, { disk: { type: 'directory', path: join(disk, 'alone') } });
  const seen: Record<string, unknown> = {};

  await begin(0);
  seen['with another vault'] = await attempt(both);
  seen['the point of the other vault'] = await holdsNow(both, 1);
  await end();
  seen['with another vault, afterwards'] = await attempt(both);
  seen['of both vaults'] = await inspect(both);
  seen['the disk alone'] = await holdsNow(both, 0);

  // Less and less is missing: at last only the point does not fit.
  const { stats } = (await both.reader.listPoints())[0]?.header ?? { stats: { storedBytes: 0 } };
  const errors = new Set<string>();
  const visible: number[] = [];
  for (const part of [0, 0.3, 0.9, 0.99, 0.995]) {
    await begin(part * stats.storedBytes);
    errors.add(await attempt(alone));
    visible.push((await alone.reader.listPoints()).length);
    await end();
    await rm(join(disk, 'alone', 'packs'), { recursive: true, force: true });
    await rm(join(disk, 'alone', 'index'), { recursive: true, force: true });
  }
  seen['the only vault'] = [...errors];
  seen['points visible then'] = visible;
  seen['the only vault, afterwards'] = await attempt(alone);
  seen['of the only vault'] = await inspect(alone);
  process.stdout.write(JSON.stringify(seen));
} finally {
  await connection.close();
  await rm(folder, { recursive: true, force: true });
}
