import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { withLock } from './lock.ts';
import { DONE, showBuildProgress } from './progress.ts';
import type { OnBuildProgress } from './progress.ts';

/** A step that is silent for long, such as linking, is told about again so often: its time goes on. */
const HEARTBEAT_MS = 1_000;

/** Tells what a build is doing now. */
export type ReportStep = (step: string, detail?: string) => void;

export interface Artifact {
  /** What it is, in words; also the name of its folder in the cache. Lower-case letters, digits, spaces, `-`. */
  readonly name: string;
  /** Everything its content depends on: sources, flags, versions, platform. Another key is another artifact. */
  readonly key: readonly string[];
  /** Makes it in the empty folder `dir`. The folder is moved afterwards: nothing in it may hold its absolute path. */
  readonly build: (dir: string, report: ReportStep, signal: AbortSignal | undefined) => Promise<void>;
}

export interface CacheOptions {
  /** Where built things are kept; `cacheFolder()` if not given. */
  readonly folder?: string;
  /** Told how a build goes, also one that another process does. Lines on standard error if not given. */
  readonly onProgress?: OnBuildProgress;
  readonly signal?: AbortSignal;
}

/** Things not used for so long are removed when something of the same name is built. */
const KEEP_UNUSED_MS = 30 * 24 * 3600 * 1000;

/**
 * The folder in which the testbed keeps what it built, outside the work tree: `LIFEBOAT_CACHE`,
 * or `lifeboat` in `XDG_CACHE_HOME`, or `~/.cache/lifeboat`.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const own = env['LIFEBOAT_CACHE'] ?? '';
  if (own !== '') return resolve(own);
  const caches = env['XDG_CACHE_HOME'] ?? '';
  return resolve(caches === '' ? join(homedir(), '.cache') : caches, 'lifeboat');
}

/**
 * The folder with an artifact's content, built if it is not in the cache. Of several callers at once, in any
 * process, one builds and the others wait for it; a failed or killed build leaves nothing that could be taken
 * for a finished one. Throws what `build` throws, or the signal's reason.
 */
export async function cachedArtifact(artifact: Artifact, options: CacheOptions = {}): Promise<string> {
  const { signal } = options;
  const shelf = join(options.folder ?? cacheFolder(), artifact.name.replaceAll(' ', '-'));
  const id = createHash('sha256').update(JSON.stringify(artifact.key)).digest('hex').slice(0, 16);
  const finished = join(shelf, id);
  if (await touch(finished)) return finished;

  const onProgress = options.onProgress ?? showBuildProgress();
  const start = performance.now();
  const report: ReportStep = (step, detail) => {
    const elapsedMs = performance.now() - start;
    onProgress({ artifact: artifact.name, step, elapsedMs, ...(detail === undefined ? {} : { detail }) });
  };

  await mkdir(shelf, { recursive: true });
  const onWait = (): void => report('waiting for another process that builds it');
  await withLock(join(shelf, `${id}.lock`), { onWait, ...(signal ? { signal } : {}) }, async () => {
    if (await touch(finished)) return;
    await removeLeftovers(shelf, id);
    const unfinished = await mkdtemp(join(shelf, `${id}.unfinished-`));
    let now: Parameters<ReportStep> = ['starting'];
    const heartbeat = setInterval(() => report(...now), HEARTBEAT_MS);
    const reportNow: ReportStep = (...step) => {
      now = step;
      report(...step);
    };
    try {
      await artifact.build(unfinished, reportNow, signal);
      await rename(unfinished, finished);
    } finally {
      clearInterval(heartbeat);
      await rm(unfinished, { recursive: true, force: true });
    }
    report(DONE);
  });
  return finished;
}

/** Marks a finished artifact as used now; false if there is none. */
async function touch(finished: string): Promise<boolean> {
  if (!existsSync(finished)) return false;
  const now = new Date();
  await utimes(finished, now, now);
  return true;
}

/** Removes what is unused for long, and what killed builds of `id` left: whoever calls this holds its lock. */
async function removeLeftovers(shelf: string, id: string): Promise<void> {
  const oldest = Date.now() - KEEP_UNUSED_MS;
  for (const entry of await readdir(shelf)) {
    const path = join(shelf, entry);
    const info = await stat(path).catch(() => undefined);
    const abandoned = entry.startsWith(`${id}.unfinished-`);
    if (abandoned || (info !== undefined && info.mtimeMs < oldest)) await rm(path, { recursive: true, force: true });
  }
}
