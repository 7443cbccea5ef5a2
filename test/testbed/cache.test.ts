import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cachedArtifact, cacheFolder } from './cache.ts';
import type { Artifact } from './cache.ts';
import type { BuildProgress } from './progress.ts';

const CHILD = fileURLToPath(new URL('cache.child.ts', import.meta.url));
const quiet = (): void => undefined;

let folder: string;
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-cache-test-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** An artifact with one file, and how often it was built. */
function counted(key: readonly string[], builds: string[] = []): Artifact & { builds: string[] } {
  const build: Artifact['build'] = async (dir) => {
    builds.push(dir);
    await writeFile(join(dir, 'content'), key.join());
  };
  return { name: 'thing', key, build, builds };
}

/** Another process that builds the same artifact; `seconds` is how long that takes it. */
function builder(seconds: number): ChildProcess & { begun: Promise<void>; result: Promise<string> } {
  const child = spawn(process.execPath, [CHILD, folder, String(seconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let output = '';
  const begun = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('begun')) resolve();
    });
  });
  const result = new Promise<string>((resolve) => {
    child.once('close', () => resolve(output));
  });
  return Object.assign(child, { begun, result });
}

describe('cachedArtifact', () => {
  it('builds once, and again for another key only', async () => {
    const one = counted(['a', 'b']);
    const first = await cachedArtifact(one, { folder, onProgress: quiet });
    expect(await cachedArtifact(one, { folder, onProgress: quiet })).toBe(first);
    expect(await readFile(join(first, 'content'), 'utf8')).toBe('a,b');
    expect(one.builds).toHaveLength(1);

    const other = await cachedArtifact(counted(['ab'], one.builds), { folder, onProgress: quiet });
    expect(other).not.toBe(first);
    expect(one.builds).toHaveLength(2);
  });

  it('lets one of several callers build, in this and other processes, and the others wait', async () => {
    const others = [builder(0.5), builder(0.5), builder(0.5)];
    const outputs = await Promise.all(others.map(async ({ result }) => await result));
    const builds = outputs.filter((output) => output.includes('begun'));
    expect(builds).toHaveLength(1);
    expect(new Set(outputs.map((output) => output.split('\n').at(-2))).size).toBe(1);

    const one = counted(['x']);
    const call = async (): Promise<string> => await cachedArtifact(one, { folder, onProgress: quiet });
    const results = await Promise.all([call(), call(), call()]);
    expect(one.builds).toHaveLength(1);
    expect(new Set(results).size).toBe(1);
  });

  it('takes over from a builder that was killed, and removes what it left', async () => {
    const killed = builder(1000);
    await killed.begun;
    killed.kill('SIGKILL');
    await killed.result;
    const shelf = join(folder, 'slow');
    expect((await readdir(shelf)).some((name) => name.includes('unfinished'))).toBe(true);

    const output = await builder(0).result;
    expect(output).toContain('begun');
    expect(await readdir(shelf)).toHaveLength(1);
  });

  it('says that it waits for another builder, and stops waiting when told to', async () => {
    const slow = builder(1000);
    await slow.begun;
    const stop = new AbortController();
    const told: BuildProgress[] = [];
    const waiting = cachedArtifact(
      { name: 'slow', key: ['same'], build: async () => await Promise.reject(new Error('not this one')) },
      {
        folder,
        signal: stop.signal,
        onProgress: (progress) => {
          told.push(progress);
          stop.abort();
        },
      },
    );
    await expect(waiting).rejects.toThrow(/abort/i);
    expect(told[0]?.step).toMatch(/waiting for another process/);
  });

  it('keeps nothing of a build that fails', async () => {
    const failing: Artifact = { ...counted(['f']), build: async () => await Promise.reject(new Error('no disk')) };
    await expect(cachedArtifact(failing, { folder, onProgress: quiet })).rejects.toThrow('no disk');
    expect(await readdir(join(folder, 'thing'))).toEqual([]);
    expect(existsSync(await cachedArtifact(counted(['f']), { folder, onProgress: quiet }))).toBe(true);
  });

  it('removes artifacts of the same name that nobody used for a month', async () => {
    const old = await cachedArtifact(counted(['old']), { folder, onProgress: quiet });
    const used = await cachedArtifact(counted(['used']), { folder, onProgress: quiet });
    const longAgo = new Date(Date.now() - 31 * 24 * 3600 * 1000);
    await utimes(old, longAgo, longAgo);
    await utimes(used, longAgo, longAgo);
    await cachedArtifact(counted(['used']), { folder, onProgress: quiet });
    const fresh = await cachedArtifact(counted(['new']), { folder, onProgress: quiet });
    expect([old, used, fresh].map(existsSync)).toEqual([false, true, true]);
  });
});

describe('cacheFolder', () => {
  it('is what LIFEBOAT_CACHE says, else within XDG_CACHE_HOME, else within the home folder', () => {
    expect(cacheFolder({ LIFEBOAT_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheFolder({ LIFEBOAT_CACHE: '', XDG_CACHE_HOME: '/b' })).toBe('/b/lifeboat');
    expect(cacheFolder({})).toMatch(/\/\.cache\/lifeboat$/);
  });
});
