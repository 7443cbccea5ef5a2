import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { openDirect, writeAround, writeFully } from '../../core/direct-io.ts';
import type { BytesTarget } from '../api.ts';

/** A new file that a stream or an image is restored to, past the page cache where that is possible. Throws what the system says. */
export class FileTarget implements BytesTarget {
  readonly #cached: FileHandle;
  readonly #direct: FileHandle | undefined;

  private constructor(cached: FileHandle, direct: FileHandle | undefined) {
    this.#cached = cached;
    this.#direct = direct;
  }

  /** Creates a file of `bytes` zeros, for its owner alone. `EEXIST` when there is one. */
  static async create(path: string, bytes: number): Promise<FileTarget> {
    const direct = await openDirect(path, { create: 0o600 });
    let cached: FileHandle | undefined;
    try {
      cached = await open(path, direct === undefined ? 'wx' : 'r+', 0o600);
      await cached.truncate(bytes);
      return new FileTarget(cached, direct);
    } catch (error) {
      await direct?.close();
      await cached?.close();
      throw error;
    }
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    if (this.#direct === undefined) await writeFully(this.#cached, bytes, offset);
    else await writeAround(this.#direct, this.#cached, bytes, offset);
  }

  /** A new file is zero where nothing was written. */
  async zero(): Promise<void> {}

  /** Makes all that was written durable. */
  async sync(): Promise<void> {
    await this.#cached.sync();
  }

  async close(): Promise<void> {
    await this.#direct?.close();
    await this.#cached.close();
  }
}
