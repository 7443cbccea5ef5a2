import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPostgresBackend, runMigrations } from 'bullmq';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { Backend } from '../backend.ts';
import { queueError } from '../errors.ts';
import type { EmbeddedSettings } from '../settings.ts';
import { makeFolder } from './folder.ts';
import { lockFolder } from './lock.ts';
import type { FolderLock } from './lock.ts';
import { EmbeddedPool } from './pool.ts';

const SCHEMA = 'bullmq';
/** How often it is looked whether the folder is still the one that was opened, ms. */
const LOOK = 1000;

/**
 * Opens the queue that is kept in a folder, and makes it the first time. Rejects with `LB_QUEUE_IN_USE` when another process, or this
 * one, has it open, with `LB_QUEUE_ACCESS` when the folder cannot be written to, and with `LB_QUEUE_UNSUITABLE` when what is in it cannot be
 * used. What an earlier process left when it was killed is recovered. Once the folder was removed or replaced, every call rejects with
 * `LB_QUEUE_UNSUITABLE`, and nothing is written any more: what is there by then is somebody else's.
 */
export async function openEmbedded({ folder }: EmbeddedSettings): Promise<Backend> {
  const lock = await locked(folder);
  let database: PGlite | undefined;
  try {
    database = await PGlite.create(join(folder, 'data')).catch((error: unknown) => {
      throw unusable(folder, error);
    });
    const opened = database;
    const pool = new EmbeddedPool(database);
    const look = async (): Promise<void> => {
      if (!(await lock.isThere())) pool.refuse(gone(folder));
    };
    const looking = setInterval(() => void look(), LOOK).unref();
    const client = await pool.connect();
    await runMigrations(client, SCHEMA);
    client.release();
    // There is one session, so this holds for every call.
    await database.exec(`SET search_path TO ${SCHEMA}, public`);
    return {
      product: 'embedded queue',
      where: folder,
      warnings: [],
      prefix: 'lifeboat',
      named: (queue) => queue,
      activeInOrder: false,
      factory: (name, options, how) => createPostgresBackend(name, { ...options, connection: pool }, how),
      close: async () => {
        clearInterval(looking);
        await pool.end();
        await look();
        if (!pool.refuses) await opened.close();
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    await database?.close().catch(() => undefined);
    lock[Symbol.dispose]();
    throw error;
  }
}

async function locked(folder: string): Promise<FolderLock> {
  try {
    await makeFolder(folder);
    return await lockFolder(folder);
  } catch (error) {
    if (error instanceof LifeboatError) throw error;
    throw new LifeboatError('LB_QUEUE_ACCESS', `The folder of the embedded queue cannot be used: ${messageOf(error)}.`, {
      where: folder,
      hint: 'Let this user write to it, or name another with `queue.path` in lifeboat.yaml.',
      cause: error,
    });
  }
}

function gone(folder: string): LifeboatError {
  return new LifeboatError('LB_QUEUE_UNSUITABLE', 'The folder of the embedded queue was removed or replaced while it was open.', {
    where: folder,
    hint: 'Start this process again: what is due or was begun is found again in the vaults.',
  });
}

/** The database says nothing of use about what it cannot open. */
function unusable(folder: string, error: unknown): unknown {
  const known = queueError(error, folder);
  if (known !== error) return known;
  return new LifeboatError('LB_QUEUE_UNSUITABLE', 'What is in the folder of the embedded queue cannot be opened.', {
    where: folder,
    hint: 'Move the folder away: a new one is made, and what is due or was begun is found again in the vaults.',
    cause: error,
  });
}
