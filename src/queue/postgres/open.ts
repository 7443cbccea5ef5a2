import { assertSchemaCompatibility, createPostgresBackend, runMigrations } from 'bullmq';
import type { PgPool } from 'bullmq';
import { Pool } from 'pg';
import { LifeboatError } from '../../core/errors.ts';
import type { Backend } from '../backend.ts';
import { calling } from '../errors.ts';
import type { QueueWarning } from '../queue.ts';
import type { PostgresSettings } from '../settings.ts';

const CONNECT_MS = 10_000;
/** Of one process: two workers and a follower listen on one each, the rest is for calls. They are opened as they are needed. */
const CONNECTIONS = 10;
const OLDEST_MAJOR = 14;
export const SCHEMA = 'bullmq';

/**
 * Connects to PostgreSQL and makes the tables of the queue where they are not there yet. Rejects at once when it does not answer,
 * refuses, or is too old.
 */
export async function openPostgres(settings: PostgresSettings): Promise<Backend> {
  const url = URL.canParse(settings.url) ? new URL(settings.url) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new LifeboatError('LB_CONFIG_INVALID', 'The URL of the queue is not one of PostgreSQL.', { hint: 'Write `postgresql://user@host:5432/database`.' });
  }
  if (settings.password !== undefined) url.password = encodeURIComponent(settings.password);
  const where = url.host;
  const { prefix = 'lifeboat' } = settings;
  const pool = new Pool({
    connectionString: url.href,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    options: `-c search_path=${SCHEMA},public`,
  });
  // Each user of it listens for errors.
  pool.setMaxListeners(0);
  // Without somebody who listens, a connection that is lost while nobody uses it would end this process.
  pool.on('error', () => undefined);
  try {
    const { product, warnings } = await calling(where, () => prepare(pool, where), 2 * CONNECT_MS);
    return {
      product,
      where,
      warnings,
      prefix,
      named: (queue) => `${prefix}.${queue}`,
      activeInOrder: false,
      factory: (name, options, how) => createPostgresBackend(name, { ...options, connection: asPool(pool) }, how),
      close: () => pool.end(),
    };
  } catch (error) {
    await pool.end().catch(() => undefined);
    throw error;
  }
}

/** BullMQ describes a pool in types of its own, which say the same in other words. */
function asPool(pool: Pool): PgPool {
  return pool as unknown as PgPool;
}

async function prepare(pool: Pool, where: string): Promise<{ product: string; warnings: QueueWarning[] }> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ server_version: string; fsync: string; commit: string }>(
      "SELECT current_setting('server_version') AS server_version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit",
    );
    const { server_version: version = '', fsync = '', commit = '' } = rows[0] ?? {};
    if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
      throw new LifeboatError('LB_QUEUE_UNSUITABLE', `The queue's server is PostgreSQL ${version}, and ${OLDEST_MAJOR} is the oldest that can be used.`, {
        where,
        hint: 'Upgrade the server.',
      });
    }
    // Reading takes fewer rights than making, and most starts find all there.
    await assertSchemaCompatibility(client, SCHEMA).catch(() => runMigrations(client, SCHEMA));
    const warnings = fsync === 'on' && commit !== 'off' ? [] : [
      {
        message: `The queue's server acknowledges what is not on its disk yet (fsync ${fsync}, synchronous_commit ${commit}): when it dies, jobs that wait may be lost until the next tick finds that they are due.`,
        hint: 'Set `fsync = on` and `synchronous_commit = on`.',
      },
    ];
    return { product: `PostgreSQL ${version.split(' ')[0] ?? ''}`, warnings };
  } finally {
    client.release();
  }
}
