import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { walkKeys } from '../../src/vault/directory/walk.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { codeOf, codesOf, digest, digestOf, failure, inParts, keysOf, someBytes } from './bytes.ts';
import { killedUpload } from './killed-upload.ts';

let root: string;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lifeboat-directory-'));
  path = join(root, 'vault');
  await mkdir(path);
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const open = (): Promise<Vault> => openDirectoryVault({ name: 'disk', path });
const unfinished = (): Promise<string[]> => readdir(join(path, '.tmp'));

describe('opening a folder as a vault', () => {
  it('says when the folder is missing, and what to do', async () => {
    const error = await failure(openDirectoryVault({ name: 'disk', path: join(root, 'none') }));
    expect(codeOf(error)).toBe('LB_VAULT_NOT_FOUND');
    expect(error).toMatchObject({ where: 'vault "disk"', hint: 'Create it, mount the disk it is on, or correct the path.' });
  });

  it('says when it is no folder', async () => {
    await writeFile(join(root, 'file'), '');
    for (const create of [false, true]) {
      const error = await failure(openDirectoryVault({ name: 'disk', path: join(root, 'file'), create }));
      expect(codeOf(error)).toBe('LB_VAULT_NOT_FOUND');
    }
    const below = await failure(openDirectoryVault({ name: 'disk', path: join(root, 'file', 'below'), create: true }));
    expect(codeOf(below)).toBe('LB_VAULT_NOT_FOUND');
  });

  it('creates the folder only when asked to', async () => {
    const vault = await openDirectoryVault({ name: 'disk', path: join(root, 'new', 'vault'), create: true });
    expect(await vault.put('a', Buffer.from('x'))).toBe('created');
  });

  it('says so when a file system takes no folders', async () => {
    const error = await failure(openDirectoryVault({ name: 'disk', path: '/proc/lifeboat/vault', create: true }));
    expect(codeOf(error)).toBe('LB_VAULT_NOT_FOUND');
  });

  it('takes a relative path from the working directory', async () => {
    const vault = await openDirectoryVault({ name: 'disk', path: relative(process.cwd(), path) });
    expect(vault.location).toBe(`directory ${path}`);
  });
});

describe('a vault in a folder', () => {
  it('stores an object as a file of its key that nobody can write to', async () => {
    await (await open()).put('points/home/1', Buffer.from('point'));
    const info = await stat(join(path, 'points', 'home', '1'));
    expect(info.mode & 0o222).toBe(0);
    expect(info.nlink).toBe(1);
    expect(await unfinished()).toEqual([]);
  });

  it('writes nothing when it is only read', async () => {
    const vault = await open();
    await failure(vault.get('a'));
    await keysOf(vault);
    expect(await readdir(path)).toEqual([]);
  });

  it('does not list what is no object', async () => {
    const vault = await open();
    await vault.put('a/b', Buffer.from('x'));
    await writeFile(join(path, '.DS_Store'), '');
    await writeFile(join(path, 'a', 'copy of b'), '');
    await mkdir(join(path, '.Trash'));
    await writeFile(join(path, '.Trash', 'c'), '');
    await mkdir(join(path, 'empty'));
    await symlink(join(path, 'a', 'b'), join(path, 'link'));
    expect(await keysOf(vault)).toEqual(['a/b']);
  });

  it('fails, and creates no folder, when the disk is gone', async () => {
    const vault = await open();
    await vault.put('a/b', Buffer.from('x'));
    await rename(path, join(root, 'elsewhere'));
    const puts = [vault.put('c', Buffer.from('x')), vault.put('a/b', Buffer.from('x'))];
    const calls = [...puts, vault.get('a/b'), vault.head('a/b'), vault.delete('a/b'), keysOf(vault)];
    expect(new Set(await codesOf(calls))).toEqual(new Set(['LB_VAULT_NOT_FOUND']));
    expect(await readdir(root)).toEqual(['elsewhere']);
    await rename(join(root, 'elsewhere'), path);
    expect(await vault.put('c/d', Buffer.from('x'))).toBe('created');
  });

  it('goes on when its folders are removed meanwhile', async () => {
    const vault = await open();
    await vault.put('a/b', Buffer.from('x'));
    await rm(join(path, 'a'), { recursive: true });
    expect(await vault.put('a/c', Buffer.from('x'))).toBe('created');
    await rm(join(path, '.tmp'), { recursive: true });
    await rm(join(path, 'a'), { recursive: true });
    expect(await vault.put('a/d', Buffer.from('x'))).toBe('created');
    expect(await keysOf(vault)).toEqual(['a/d']);
    await vault.put('b/c/d', Buffer.from('x'));
    await rm(join(path, 'b'), { recursive: true });
    expect(await vault.put('b/e/f', Buffer.from('x'))).toBe('created');
  });

  it('creates an object, or says that it exists, whatever others put and delete under its name', async () => {
    const outcomes = new Map<string, number>();
    const busy = async (number: number): Promise<void> => {
      const vault = await open();
      for (let round = 0; round < 150; round++) {
        const outcome = await vault.put('taken', Buffer.from(String(number))).catch((error: unknown) => codeOf(error) ?? 'error');
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        await vault.delete('taken');
      }
    };
    await Promise.all([1, 2, 3, 4].map(busy));
    expect([...outcomes.keys()].toSorted()).toEqual(['created', 'exists']);
  });

  it('reads a file that was cut short as one that ended early', async () => {
    const vault = await open();
    await vault.put('a', someBytes(1_000_000));
    const { body, length } = await vault.get('a');
    expect(length).toBe(1_000_000);
    await chmod(join(path, 'a'), 0o600);
    await writeFile(join(path, 'a'), someBytes(10));
    const reading = (async () => {
      for await (const _ of body);
    })();
    expect(codeOf(await failure(reading))).toBe('LB_VAULT_UNAVAILABLE');
  });

  it('sorts a folder that is larger than it keeps in memory', async () => {
    const keys = Array.from({ length: 537 }, (_, i) => (i % 5 === 0 ? `d/${i}/x` : `d/${i}-f`));
    for (const key of keys) {
      await mkdir(join(path, key, '..'), { recursive: true });
      await writeFile(join(path, key), key);
    }
    for (const options of [{ startAfter: '' }, { startAfter: 'd/300/x' }]) {
      const found: string[] = [];
      const walk = walkKeys(path, { prefix: 'd/', signal: undefined, namesAtOnce: 10, ...options });
      for await (const { key } of walk) found.push(key);
      expect(found).toEqual(keys.filter((key) => key > options.startAfter).toSorted());
    }
  });
});

describe('unfinished uploads in a folder', () => {
  it('of a killed writer are removed by the next one', async () => {
    await killedUpload({ type: 'directory', path }, 'a', 1_000_000, 500_000);
    expect(await unfinished()).toHaveLength(1);
    await (await open()).put('b', Buffer.from('x'));
    expect(await unfinished()).toEqual([]);
  });

  it('of a living writer stay', async () => {
    const first = await open();
    let others: Promise<unknown> | undefined;
    const bytes = someBytes(100_000);
    const body = inParts(bytes, 50_000, async () => {
      others ??= (await open()).put('b', Buffer.from('x'));
      await others;
    });
    expect(await first.put('a', body)).toBe('created');
    expect(await digestOf(first, 'a')).toBe(digest(bytes));
  });

  it('of writers that cannot be asked are removed a day after they were last written to', async () => {
    await (await open()).put('a', Buffer.from('x'));
    const names = ['0123456789abcdef.1.00000000-0000-0000-0000-000000000000', `something from ${hostname()}`];
    for (const name of names) await writeFile(join(path, '.tmp', name), 'half');
    await (await open()).put('b', Buffer.from('x'));
    expect((await unfinished()).toSorted()).toEqual(names.toSorted());
    const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
    for (const name of names) await utimes(join(path, '.tmp', name), yesterday, yesterday);
    await (await open()).put('c', Buffer.from('x'));
    expect(await unfinished()).toEqual([]);
  });
});

describe('a folder without the rights that are needed', () => {
  it('cannot be written to, says so, and can still be read', async (ctx) => {
    // Root may write anywhere; so this process is somebody else for a while.
    const { geteuid, seteuid } = process;
    if (geteuid === undefined || seteuid === undefined) return ctx.skip('this system has no user numbers');
    const root = geteuid() === 0;
    const before = await open();
    await before.put('a', Buffer.from('x'));
    await before.put('secret', Buffer.from('x'));
    await chmod(join(path, 'secret'), 0);
    await chmod(join(path, '.tmp'), 0o555);
    await chmod(path, 0o555);
    await chmod(join(path, '..'), 0o755);
    if (root) seteuid(65_534);
    try {
      const vault = await open();
      const error = await failure(vault.put('b', Buffer.from('x')));
      expect(error).toBeInstanceOf(LifeboatError);
      expect(codeOf(error)).toBe('LB_VAULT_READ_ONLY');
      expect(codeOf(await failure(vault.delete('a')))).toBe('LB_VAULT_READ_ONLY');
      expect(await digestOf(vault, 'a')).toBe(digest(Buffer.from('x')));
      expect(codeOf(await failure(digestOf(vault, 'secret')))).toBe('LB_VAULT_ACCESS');
    } finally {
      if (root) seteuid(0);
      await chmod(path, 0o755);
      await chmod(join(path, '.tmp'), 0o755);
    }
    return undefined;
  });
});
