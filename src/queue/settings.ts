/** Where the queue is. Secrets are resolved already: nothing here is a reference. */
export type QueueSettings = RedisSettings | PostgresSettings | EmbeddedSettings;

/** Redis 6.2 or newer, or Valkey. */
export interface RedisSettings {
  readonly type: 'redis';
  /** `redis://[user[:password]@]host[:port][/database]`, or `rediss://` with TLS. With `sentinel`, of which only user, password and database count. */
  readonly url: string;
  /** In place of the one in the URL. */
  readonly password?: string;
  /** The URL is one node of a cluster; the others are learned from it. */
  readonly cluster?: boolean;
  /** Sentinels to ask for the server: `host:port` of each, and the name they know it by. */
  readonly sentinel?: { readonly name: string; readonly addresses: readonly string[] };
  /** Begins the name of every key, so that several installations share a server. `lifeboat` if not said. */
  readonly prefix?: string;
}

/** PostgreSQL 14 or newer. The tables are in the schema `bullmq`, which is made when it is not there. */
export interface PostgresSettings {
  readonly type: 'postgres';
  /** `postgresql://user[:password]@host[:port]/database?sslmode=verify-full`. */
  readonly url: string;
  /** In place of the one in the URL. */
  readonly password?: string;
  /** Begins the names of the queues, so that several installations share a database. `lifeboat` if not said. */
  readonly prefix?: string;
}

/** A queue in this process, kept in a folder. One process at a time. */
export interface EmbeddedSettings {
  readonly type: 'embedded';
  readonly folder: string;
}
