import { stat } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { errnoOf } from './errors.ts';
import { KEY_PATTERN } from '../vault.ts';
import type { ObjectInfo } from '../vault.ts';

const NAMES_AT_ONCE = 65_536;
/** Sizes asked for at once. More does not help: the file system has few threads to answer. */
const STATS_AT_ONCE = 64;

/** What of the tree under a root is wanted. */
export interface WalkOptions {
  readonly prefix: string;
  readonly startAfter: string;
  readonly signal: AbortSignal | undefined;
  /** Names of one folder held in memory at a time; a larger folder is read several times over. */
  readonly namesAtOnce?: number;
}

/**
 * The files under `root` whose path is a key with the wanted prefix, in ascending order of the whole keys.
 * A folder sorts as `name/`, so `a-b` comes before `a/b` as it must (keys are ASCII, so the order of
 * JavaScript strings is that of their bytes). Files that vanish meanwhile are left out.
 * Memory is bounded by `namesAtOnce` names per level of folders. Rejects with the errors of the system calls;
 * a folder that does not exist has no files.
 */
export async function* walkKeys(root: string, options: WalkOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const cut = options.prefix.lastIndexOf('/') + 1;
  for await (const some of walkFolder(root, options.prefix.slice(0, cut), options)) yield* some;
}

/** Gives some at a time: what goes through many generators one by one takes longer than looking it up. */
async function* walkFolder(
  root: string,
  folder: string,
  options: WalkOptions,
): AsyncGenerator<readonly ObjectInfo[], void, undefined> {
  let after = '';
  for (;;) {
    const { entries, more } = await readSorted(root, folder, after, options);
    let files: string[] = [];
    for (const entry of entries) {
      if (entry.endsWith('/')) {
        yield await withSizes(root, files);
        files = [];
        yield* walkFolder(root, entry, options);
      } else {
        files.push(entry);
        if (files.length < STATS_AT_ONCE) continue;
        options.signal?.throwIfAborted();
        yield await withSizes(root, files);
        files = [];
      }
    }
    yield await withSizes(root, files);
    const last = entries.at(-1);
    if (!more || last === undefined) return;
    after = last;
  }
}

/** Whether `entry` (a key, or a folder ending in `/`) is wanted or can hold something that is. */
function isWanted(entry: string, { prefix, startAfter }: WalkOptions): boolean {
  if (!entry.endsWith('/')) return entry.startsWith(prefix) && entry > startAfter && KEY_PATTERN.test(entry);
  if (!entry.startsWith(prefix) && !prefix.startsWith(entry)) return false;
  return entry > startAfter || startAfter.startsWith(entry);
}

/** The first `namesAtOnce` wanted entries of a folder that come after `after`, sorted, as keys or `folder/`. */
async function readSorted(
  root: string,
  folder: string,
  after: string,
  options: WalkOptions,
): Promise<{ readonly entries: readonly string[]; readonly more: boolean }> {
  const { namesAtOnce = NAMES_AT_ONCE, signal } = options;
  let entries: string[] = [];
  let more = false;
  const keepSmallest = (): void => {
    entries.sort(byBytes);
    if (entries.length <= namesAtOnce) return;
    entries = entries.slice(0, namesAtOnce);
    more = true;
  };
  const directory = await opendir(join(root, folder), { bufferSize: 1024 }).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  });
  if (directory === undefined) return { entries, more };
  for await (const item of directory) {
    signal?.throwIfAborted();
    const isFolder = item.isDirectory();
    if (item.name.startsWith('.') || !(isFolder || item.isFile())) continue;
    const entry = folder + item.name + (isFolder ? '/' : '');
    if (entry <= after || !isWanted(entry, options)) continue;
    entries.push(entry);
    if (entries.length >= 2 * namesAtOnce) keepSmallest();
  }
  keepSmallest();
  return { entries, more };
}

function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** With callbacks: a promise for each of a million files takes longer than the file system does. */
function withSizes(root: string, keys: readonly string[]): Promise<readonly ObjectInfo[]> {
  return new Promise((resolve, reject) => {
    const infos: (ObjectInfo | undefined)[] = keys.map(() => undefined);
    let left = keys.length;
    if (left === 0) resolve([]);
    for (const [i, key] of keys.entries()) {
      stat(`${root}${sep}${key}`, (error, info) => {
        if (error === null) infos[i] = { key, size: info.size };
        else if (error.code !== 'ENOENT') reject(error);
        if (--left === 0) resolve(infos.filter((one) => one !== undefined));
      });
    }
  });
}
