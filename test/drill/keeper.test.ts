import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openOwnedFolder } from '../../src/drill/keeper/owned-folder.ts';
import type { OwnedFolder } from '../../src/drill/keeper/owned-folder.ts';
import { formatIdentity, identityOf, isGone, ownIdentity, parseIdentity } from '../../src/drill/keeper/process-identity.ts';
import type { ProcessIdentity } from '../../src/drill/keeper/process-identity.ts';

const CHILD = fileURLToPath(new URL('keeper.child.ts', import.meta.url));
/** For what comes by itself, however busy the machine is. */
const WAIT = { timeout: 60_000 };
const ownedSchema = z.object({ folder: z.string(), pids: z.array(z.number()) });

let children: ChildProcess[];
beforeEach(() => {
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that owns something, and what it owns. */
interface Owner {
  /** Ends it with SIGKILL, and resolves when it is gone. */
  readonly kill: () => Promise<void>;
  readonly folder: string;
  readonly processes: ProcessIdentity[];
}

async function owner(what: 'folder' | 'site'): Promise<Owner> {
  const child = spawn(process.execPath, [CHILD, what], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('exit', (code) => reject(new Error(`the owner ended with ${code}`)));
  });
  const { folder, pids } = ownedSchema.parse(JSON.parse(line));
  const kill = async (): Promise<void> => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { kill, folder, processes: pids.map(running) };
}

function running(pid: number): ProcessIdentity {
  const identity = identityOf(pid);
  if (identity === undefined) throw new Error(`there is no process ${pid}`);
  return identity;
}

async function whatIsLeft(folder: string, processes: readonly ProcessIdentity[]): Promise<string[]> {
  const left: string[] = [];
  for (let attempt = 0; attempt < 3_000; attempt += 1) {
    left.length = 0;
    if (existsSync(folder)) left.push(folder);
    left.push(...processes.filter((identity) => !isGone(identity)).map(formatIdentity));
    if (left.length === 0) break;
    await sleep(20);
  }
  return left;
}

async function startSleeper(folder: OwnedFolder): Promise<ProcessIdentity> {
  const { pid } = await folder.start({ name: 'sleeper', command: '/bin/sh', args: ['-c', 'echo up; sleep 1000'] });
  return running(pid);
}

function parentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }));
}

describe('a folder and its processes', () => {
  it('are gone when it is closed, and when the scope that holds it ends', async () => {
    const folder = await openOwnedFolder('test');
    const sleeper = await startSleeper(folder);
    await folder.close();
    expect(existsSync(folder.path)).toBe(false);
    expect(isGone(sleeper)).toBe(true);
    await folder.close();

    let path: string;
    {
      await using scoped = await openOwnedFolder('test');
      path = scoped.path;
      expect(existsSync(path)).toBe(true);
    }
    expect(existsSync(path)).toBe(false);
  });

  it('are gone after their owner was killed with SIGKILL', async () => {
    const { kill, folder, processes } = await owner('folder');
    await vi.waitFor(async () => expect(await readFile(join(folder, 'inner'), 'utf8')).toMatch(/\d\n/), WAIT);
    const inner = running(Number(await readFile(join(folder, 'inner'), 'utf8')));
    await kill();
    expect(await whatIsLeft(folder, [...processes, inner])).toEqual([]);
  });

  it('are removed by the next run when owner and keeper were killed at once', async () => {
    const { kill, folder, processes } = await owner('folder');
    const keeper = running(parentOf(processes[0]?.pid ?? 0));
    process.kill(keeper.pid, 'SIGSTOP');
    await kill();
    process.kill(keeper.pid, 'SIGKILL');
    await vi.waitUntil(() => isGone(keeper), WAIT);
    expect(existsSync(folder)).toBe(true);
    execFileSync(process.execPath, [CHILD, 'nothing']);
    expect(await whatIsLeft(folder, processes)).toEqual([]);
  });

  it('can be closed when the keeper was killed, and another keeper serves what comes next', async () => {
    const folder = await openOwnedFolder('test');
    const sleeper = await startSleeper(folder);
    process.kill(parentOf(sleeper.pid), 'SIGKILL');
    await vi.waitFor(async () => {
      await expect(startSleeper(folder)).rejects.toThrow(/is gone/);
    }, WAIT);
    await folder.close();
    expect(await whatIsLeft(folder.path, [sleeper])).toEqual([]);

    await using next = await openOwnedFolder('test');
    await startSleeper(next);
  });

  it('are left alone when their keeper runs, or cannot be seen from here', async () => {
    await using folder = await openOwnedFolder('test');
    const sleeper = await startSleeper(folder);
    const elsewhere = formatIdentity({ ...ownIdentity(), namespace: '1' });
    const foreign = join(tmpdir(), `lifeboat-testbed-${elsewhere}.test.0000`);
    await mkdir(foreign);
    try {
      execFileSync(process.execPath, [CHILD, 'nothing']);
      expect([folder.path, foreign].map(existsSync)).toEqual([true, true]);
      expect(isGone(sleeper)).toBe(false);
    } finally {
      await rm(foreign, { recursive: true });
    }
  });
});

describe('a process', () => {
  it('tells how it ended, and what it wrote', async () => {
    await using folder = await openOwnedFolder('test');
    const script = 'echo out; echo err >&2; exit 7';
    const process = await folder.start({ name: 'short', command: '/bin/sh', args: ['-c', script] });
    expect(await process.ended).toEqual({ code: 7, signal: null });
    expect(process.end).toEqual({ code: 7, signal: null });
    expect(await process.logTail()).toBe('out\nerr');
    await process.kill();
  });

  it('that cannot be started is an error', async () => {
    await using folder = await openOwnedFolder('test');
    const missing = { name: 'missing', command: join(folder.path, 'missing'), args: [] };
    await expect(folder.start(missing)).rejects.toThrow(/ENOENT/);
  });

  it('gets nothing of this process’s environment but the path', async () => {
    vi.stubEnv('LIFEBOAT_TEST_SECRET', 'x');
    try {
      await using folder = await openOwnedFolder('test');
      const process = await folder.start({ name: 'env', command: '/bin/sh', args: ['-c', 'env'], env: { A: 'b' } });
      await process.ended;
      const names = (await process.logTail()).split('\n').map((line) => line.split('=')[0]);
      expect(names).toContain('A');
      expect(names).not.toContain('LIFEBOAT_TEST_SECRET');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('a process’s identity', () => {
  it('survives being written down, and differs from that of another process with the same number', () => {
    const own = ownIdentity();
    expect(parseIdentity(formatIdentity(own))).toEqual(own);
    expect(isGone(own)).toBe(false);
    expect(isGone({ ...own, started: '1' })).toBe(true);
    expect(isGone({ ...own, boot: 'another' })).toBe(true);
    expect(parseIdentity('something else')).toBeUndefined();
  });
});

describe('a site', () => {
  it('is gone after the process that started it was killed with SIGKILL', async () => {
    const { kill, folder, processes } = await owner('site');
    expect(processes).toHaveLength(3);
    await kill();
    expect(await whatIsLeft(folder, processes)).toEqual([]);
  });
});
