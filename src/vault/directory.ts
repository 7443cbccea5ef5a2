import { mkdir, open, stat, link, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DirectWriter, openDirect, readDirect, writeFully } from '../core/direct-io.ts';
import { isLifeboatError } from '../core/errors.ts';
import { DurableFolders } from './directory/durable.ts';
import { directoryError, errnoOf, folderMissing } from './directory/errors.ts';
import type { DirectoryAccess } from './directory/errors.ts';
import { sweepTemp, TEMP_FOLDER, tempName } from './directory/temp.ts';
import { walkKeys } from './directory/walk.ts';
import { checkKey, checkPrefix, endedEarly, lockUnsupported, objectMissing, VaultError } from './errors.ts';
import { resolveRange } from './range.ts';
import type { ByteRange } from './range.ts';
import { BodyReader } from './streams.ts';
import type { CallOptions, GetOptions, ListOptions, ObjectInfo, PutOptions, PutOutcome, Vault, VaultBody, VaultObject } from './vault.ts';

/** What `openDirectoryVault` needs to know. */
export interface DirectoryVaultOptions {
  /** The name from lifeboat.yaml. */
  readonly name: string;
  /** The folder; a relative path is resolved against the working directory. */
  readonly path: string;
  /** Create the folder where it is missing (default: no, because a missing folder is mostly an unmounted disk). */
  readonly create?: boolean;
}

/** Bytes read from a file at a time. */
const READ_SIZE = 512 * 1024;
/** Objects of so many bytes go past the page cache, and ranges of them. */
const DIRECT_FROM = 1024 * 1024;
/** The mode says what objects are: nobody writes to them again. */
const OBJECT_MODE = 0o444;

/**
 * Opens a folder as a vault: an object is a file of the same path, read-only once it is there.
 *
 * An object is written to a file in `.tmp`, made durable, and then linked to its name: `link(2)` is atomic and
 * refuses a name that exists, on local file systems and NFS alike. Leftovers of dead writers in `.tmp` are
 * removed before the first write of the next one.
 * Throws `LB_VAULT_NOT_FOUND` when the folder is missing, `LB_VAULT_ACCESS` when it cannot be looked at.
 */
export async function openDirectoryVault(options: DirectoryVaultOptions): Promise<Vault> {
  const { name } = options;
  const path = resolve(options.path);
  try {
    if (options.create === true) await makeFolder(path);
    if ((await stat(path)).isDirectory()) return new DirectoryVault(name, path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw folderMissing(name, path, error);
    if (errnoOf(error) !== 'ENOTDIR' && errnoOf(error) !== 'EEXIST') {
      throw directoryError(error, { vault: name, path, access: options.create === true ? 'write' : 'read' });
    }
  }
  throw new VaultError('LB_VAULT_NOT_FOUND', name, `${path} is not a folder`, { hint: 'Correct the path of the vault.' });
}

/** Step by step: Node's recursive `mkdir` never ends where a file system, as `/proc`, refuses with `ENOENT`. */
async function makeFolder(path: string): Promise<void> {
  const there = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  if (there !== undefined) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    if (errnoOf(error) !== 'EEXIST') throw error;
  });
}

class DirectoryVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks = false;
  readonly #root: string;
  readonly #temp: string;
  readonly #folders: DurableFolders;
  #swept: Promise<void> | undefined;
  /** Files here can be read with direct I/O. */
  #readsDirectly = false;

  constructor(name: string, root: string) {
    this.name = name;
    this.location = `directory ${root}`;
    this.#root = root;
    this.#temp = join(root, TEMP_FOLDER);
    this.#folders = new DurableFolders(root);
  }

  async put(key: string, body: VaultBody, { signal, retainUntil }: PutOptions = {}): Promise<PutOutcome> {
    checkKey(this.name, key);
    signal?.throwIfAborted();
    if (retainUntil !== undefined) throw lockUnsupported(this.name, key);
    const reader = new BodyReader(body, signal);
    try {
      if (await this.#exists(key)) return 'exists';
      this.#swept ??= this.#prepareTemp();
      await this.#swept;
      const temp = join(this.#temp, await tempName());
      try {
        await this.#store(temp, reader);
        signal?.throwIfAborted();
        return await this.#commit(temp, key);
      } finally {
        await unlink(temp).catch(() => {});
      }
    } catch (error) {
      throw reader.failure === undefined ? await this.#explain(error, 'write', key) : reader.failure.error;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    checkKey(this.name, key);
    options.signal?.throwIfAborted();
    try {
      const info = await stat(join(this.#root, key));
      if (!info.isFile()) throw objectMissing(this.name, key);
      const range = resolveRange(info.size, options);
      return { length: range.end - range.start, body: this.#read(key, range, options) };
    } catch (error) {
      throw await this.#explain(error, 'read', key);
    }
  }

  async head(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(this.name, key);
    signal?.throwIfAborted();
    try {
      const info = await stat(join(this.#root, key));
      return info.isFile() ? { key, size: info.size } : undefined;
    } catch (error) {
      const explained = await this.#explain(error, 'read', key);
      if (isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) return undefined;
      throw explained;
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(this.name, prefix);
    const { startAfter = '', signal } = options;
    signal?.throwIfAborted();
    try {
      // A vanished root must not look like an empty vault.
      await stat(this.#root);
      yield* walkKeys(this.#root, { prefix, startAfter, signal });
    } catch (error) {
      throw await this.#explain(error, 'read');
    }
  }

  async retain(key: string, _until: Date, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    signal?.throwIfAborted();
    throw lockUnsupported(this.name, key);
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    signal?.throwIfAborted();
    try {
      await unlink(join(this.#root, key));
    } catch (error) {
      // A folder: part of other keys, and no object.
      if (errnoOf(error) === 'EISDIR') return;
      const explained = await this.#explain(error, 'write', key);
      if (!isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) throw explained;
    }
  }

  /** There are no versions. */
  async uncover(key: string, { signal }: CallOptions = {}): Promise<number> {
    checkKey(this.name, key);
    signal?.throwIfAborted();
    return 0;
  }

  async close(): Promise<void> {
    // Nothing is kept open between calls.
  }

  /** True when the object is there; then its name is durable too, whoever wrote it. */
  async #exists(key: string): Promise<boolean> {
    const path = join(this.#root, key);
    const info = await stat(path).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (info === undefined) return false;
    if (!info.isFile()) throw this.#nameIsFolder(key);
    await this.#folders.ensure(dirname(path));
    await this.#folders.sync(dirname(path));
    return true;
  }

  async #prepareTemp(): Promise<void> {
    try {
      await this.#folders.ensure(this.#temp);
      await sweepTemp(this.#temp, Date.now());
    } catch (error) {
      // The next put tries again.
      this.#swept = undefined;
      throw error;
    }
  }

  async #store(temp: string, body: BodyReader): Promise<void> {
    try {
      await writeNew(temp, body);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || body.failure !== undefined) throw error;
      this.#folders.forget();
      await this.#folders.ensure(this.#temp);
      await writeNew(temp, body);
    }
  }

  /** Gives a finished, durable file its name. */
  async #commit(temp: string, key: string): Promise<PutOutcome> {
    const path = join(this.#root, key);
    const folder = dirname(path);
    let outcome: PutOutcome | undefined;
    // Taken by an object that is gone when it is looked at: then the name is free again.
    while (outcome === undefined) {
      try {
        await this.#link(temp, path);
        outcome = 'created';
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'EPERM' || errno === 'ENOTSUP' || errno === 'EXDEV') throw this.#cannotLink(folder, error);
        if (errno !== 'EEXIST') throw error;
        outcome = await this.#whoseName(temp, path, key);
      }
    }
    await this.#folders.sync(folder);
    return outcome;
  }

  async #link(temp: string, path: string): Promise<void> {
    try {
      await this.#folders.ensure(dirname(path));
      await link(temp, path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      // Somebody has removed the folder, or the one it is in.
      this.#folders.forget();
      await this.#folders.ensure(dirname(path));
      await link(temp, path);
    }
  }

  /**
   * Over NFS the answer to a link that worked can be lost and the repeated request refused: then it is ours. `undefined` when
   * nobody has the name any more.
   */
  async #whoseName(temp: string, path: string, key: string): Promise<PutOutcome | undefined> {
    const [ours, there] = await Promise.all([
      stat(temp),
      stat(path).catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }),
    ]);
    if (there === undefined) return undefined;
    if (!there.isFile()) throw this.#nameIsFolder(key);
    return ours.ino === there.ino && ours.dev === there.dev ? 'created' : 'exists';
  }

  async *#read(
    key: string,
    range: ByteRange,
    { signal, into }: GetOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const length = range.end - range.start;
    if (length === 0) return;
    let file: FileHandle | undefined;
    let done = 0;
    try {
      signal?.throwIfAborted();
      const path = join(this.#root, key);
      const direct = length >= DIRECT_FROM ? await openDirect(path, this.#readsDirectly ? 'read another' : 'read') : undefined;
      if (direct !== undefined) this.#readsDirectly = true;
      file = direct ?? (await open(path, 'r'));
      for await (const part of direct === undefined ? readCached(file, range, into) : readDirect(direct, range, into)) {
        done += part.length;
        yield part;
        signal?.throwIfAborted();
      }
      if (done < length) throw endedEarly(this.name, key, done, length);
    } catch (error) {
      throw await this.#explain(error, 'read', key);
    } finally {
      await file?.close();
    }
  }

  /** The error to throw for what was caught: a missing file may mean a missing object or a missing vault. */
  async #explain(caught: unknown, access: DirectoryAccess, key?: string): Promise<unknown> {
    const errno = errnoOf(caught);
    if (errno === 'ENOENT' || (errno === 'ENOTDIR' && access === 'read')) {
      if (!(await isFolder(this.#root))) return folderMissing(this.name, this.#root, caught);
      if (key !== undefined) return objectMissing(this.name, key, caught);
    }
    return directoryError(caught, { vault: this.name, path: this.#root, key, access });
  }

  #nameIsFolder(key: string): Error {
    return new VaultError('LB_VAULT_INVALID_KEY', this.name, `${key} is the beginning of other objects' names`, { key });
  }

  #cannotLink(folder: string, cause: unknown): Error {
    return new VaultError('LB_VAULT_UNSUPPORTED', this.name, `${folder} does not allow hard links from ${this.#temp}`, {
      hint: 'Use a file system with hard links (not FAT or exFAT), with the whole folder on one file system.',
      cause,
    });
  }
}

/** Creates a file of the body's bytes, durable and closed when this resolves. */
async function writeNew(path: string, body: BodyReader): Promise<void> {
  const direct = body.size >= DIRECT_FROM ? await openDirect(path, { create: OBJECT_MODE }) : undefined;
  const file = direct ?? (await open(path, 'wx', OBJECT_MODE));
  const writer = direct && new DirectWriter(direct);
  let at = 0;
  try {
    for await (const part of body.parts()) {
      await (writer?.write(part) ?? writeFully(file, part, at));
      at += part.length;
    }
    await writer?.finish();
    await file.sync();
  } finally {
    await writer?.end();
    await file.close();
  }
}

/** The bytes of a range, in parts, as `readDirect` gives them. */
async function* readCached(file: FileHandle, { start, end }: ByteRange, into?: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end;) {
    const memory = into?.subarray(at - start, end - start) ?? Buffer.allocUnsafeSlow(Math.min(READ_SIZE, end - at));
    const { bytesRead } = await file.read(memory, 0, memory.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield bytesRead === memory.length ? memory : memory.subarray(0, bytesRead);
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
