import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createPostgresBackend, runMigrations } from 'bullmq';
import type { Backend } from '../backend.ts';
import type { EmbeddedSettings } from '../settings.ts';
import { lockFolder } from './lock.ts';
import { EmbeddedPool } from './pool.ts';

const SCHEMA = 'bullmq';
/** Only its owner may see it: jobs name sites, plans and people. */
const PRIVATE = 0o700;

/**
 * Opens the queue that is kept in a folder, and makes it the first time. Rejects with `LB_QUEUE_IN_USE` when another process, or this
 * one, has it open. What an earlier process left when it was killed is recovered.
 */
export async function openEmbedded({ folder }: EmbeddedSettings): Promise<Backend> {
  await mkdir(folder, { recursive: true, mode: PRIVATE });
  const lock = await lockFolder(folder);
  let database: PGlite | undefined;
  try {
    database = await PGlite.create(join(folder, 'data'));
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
