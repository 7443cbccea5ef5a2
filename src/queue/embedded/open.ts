import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPostgresBackend, runMigrations } from 'bullmq';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { Backend } from '../backend.ts';
import { queueError } from '../errors.ts';
import type { EmbeddedSettings } from '../settings.ts';
import { lockFolder } from './lock.ts';
import { EmbeddedPool } from './pool.ts';

const SCHEMA = 'bullmq';
/** Only its owner may see it: jobs name sites, plans and people. */
const PRIVATE = 0o700;

/**
 * Opens the queue that is kept in a folder, and makes it the first time. Rejects with `LB_QUEUE_IN_USE` when another process, or this
 * one, has it open, with `LB_QUEUE_ACCESS` when the folder cannot be written to, and with `LB_QUEUE_UNSUITABLE` when what is in it cannot be
 * used. What an earlier process left when it was killed is recovered.
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
        await pool.end();
        await opened.close();
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    await database?.close().catch(() => undefined);
    lock[Symbol.dispose]();
    throw error;
  }
}

async function locked(folder: string): Promise<Disposable> {
  try {
    await mkdir(folder, { recursive: true, mode: PRIVATE });
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
