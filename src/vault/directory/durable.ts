import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Makes entries of folders durable. A new name survives a power cut only after an fsync of the folder it is in,
 * and that folder only after an fsync of *its* parent, so folders are followed up to the root of the vault.
 * Concurrent requests for one folder share an fsync.
 */
export class DurableFolders {
  readonly #root: string;
  /** Folders whose own entry is known to be durable. Bounded by the folders of a vault (a few hundred). */
  readonly #known = new Set<string>();
  /** For each folder being synced: the fsync that has not begun yet, which whoever comes now may share. */
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
    this.#known.add(root);
  }

  /**
   * Creates `folder` (inside the root) where it is missing and makes its entry durable. Never creates the root:
   * a root that has vanished is a disk that was unmounted, and rejects with `ENOENT`.
   */
  async ensure(folder: string): Promise<void> {
    if (this.#known.has(folder)) return;
    const parent = dirname(folder);
    await this.ensure(parent);
    await mkdir(folder).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
    // Also when it existed: whoever made it may not have got as far as this.
    await this.sync(parent);
    this.#known.add(folder);
  }

  /** Forgets what is known of folders: something vanished that was there. */
  forget(): void {
    this.#known.clear();
    this.#known.add(this.#root);
  }

  /** Resolves when every entry that was in `folder` at the time of the call is durable. */
  sync(folder: string): Promise<void> {
    const waiting = this.#waiting.get(folder);
    if (waiting !== undefined) return waiting;
    const running = this.#running.get(folder) ?? Promise.resolve();
    const next = running
      .catch(() => {})
      .then(() => {
        this.#waiting.delete(folder);
        const now = syncFolder(folder).finally(() => {
          if (this.#running.get(folder) === now) this.#running.delete(folder);
        });
        this.#running.set(folder, now);
        return now;
      });
    this.#waiting.set(folder, next);
    return next;
  }
}

/** Fsyncs one folder. File systems that have no fsync for folders (`EINVAL`, `ENOTSUP`) are left to their own promises. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(join(folder, '.'), 'r');
  try {
    await handle.sync();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EINVAL' && errno !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}
