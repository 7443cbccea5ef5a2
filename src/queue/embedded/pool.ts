import { EventEmitter } from 'node:events';
import type { PGlite, Results } from '@electric-sql/pglite';
import type { PgNotification, PgPool, PgPoolClient, PgQueryResult } from 'bullmq';
import { Turns } from '../turns.ts';

/** What is asked of a client: a text of SQL, or as `pg` also allows, an object of text and values. */
type Query = string | { readonly text: string; readonly values?: readonly unknown[] };

const LISTEN = /^(un)?listen\s+(?:"([^"]+)"|([a-z_][a-z0-9_]*)|(\*))\s*;?$/i;
const BEGINS = /^(begin|start\s+transaction)\b/i;
const ENDS = /^(commit|rollback(?!\s+to\b)|end|abort)\b/i;
const COMMENTS = /^\s*--.*$/gm;
/** Names a session for other sessions to see, and there are none. */
const NAMES_SESSION = /\bapplication_name\b/i;

/**
 * Gives BullMQ's PostgreSQL backend the one session of a database in this process as if it were a pool of them. Calls take turns;
 * a client that has begun a transaction keeps the turn until it has ended it, so that nobody's call falls into it.
 */
export class EmbeddedPool extends EventEmitter implements PgPool {
  /** A connection within one process cannot be lost unnoticed: nobody need look at it again and again. */
  readonly options = { keepAlive: true };
  readonly #session: Session;

  constructor(database: PGlite) {
    super();
    // Each user of it listens for errors.
    this.setMaxListeners(0);
    this.#session = { database, turns: new Turns() };
  }

  async query<R>(query: Query, values?: readonly unknown[]): Promise<PgQueryResult<R>> {
    const client = new EmbeddedClient(this.#session);
    return await client.query<R>(query, values);
  }

  async connect(): Promise<PgPoolClient> {
    return new EmbeddedClient(this.#session);
  }

  get refuses(): boolean {
    return this.#session.refusal !== undefined;
  }

  /** From now on nothing is asked of the database any more: every call rejects with this. */
  refuse(error: Error): void {
    this.#session.refusal ??= error;
  }

  /** Waits until nobody has a turn; whoever asks after that never gets one. The database is closed by whoever opened it. */
  async end(): Promise<void> {
    await this.#session.turns.take();
  }
}

interface Session {
  readonly database: PGlite;
  readonly turns: Turns;
  /** Why the database must not be used any more. */
  refusal?: Error;
}

class EmbeddedClient extends EventEmitter implements PgPoolClient {
  readonly #session: Session;
  /** Ends its turn, while it is within a transaction. */
  #endTurn: (() => void) | undefined;
  readonly #listening = new Map<string, () => Promise<void>>();

  constructor(session: Session) {
    super();
    this.#session = session;
  }

  async query<R>(query: Query, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    const text = typeof query === 'string' ? query : query.text;
    const values = params ?? (typeof query === 'string' ? undefined : query.values);
    const statement = text.replace(COMMENTS, '').trim();
    const listen = LISTEN.exec(statement);
    if (listen !== null) {
      const [, stop, quoted, plain] = listen;
      const channel = quoted ?? plain?.toLowerCase();
      await this.#inTurn(() => (stop === undefined ? this.#listen(channel ?? '') : this.#unlisten(channel)));
      return { rows: [], rowCount: 0 };
    }
    if (NAMES_SESSION.test(statement) && /^(set|select)\b/i.test(statement)) return { rows: [], rowCount: 0 };
    const within = this.#endTurn;
    const endTurn = within ?? (await this.#session.turns.take());
    let keep = within !== undefined;
    try {
      const result = await this.#run<R>(text, values);
      if (within === undefined && BEGINS.test(statement)) keep = true;
      return result;
    } finally {
      if (ENDS.test(statement)) keep = false;
      this.#endTurn = keep ? endTurn : undefined;
      if (!keep) endTurn();
    }
  }

  /** Gives it back: an unfinished transaction is undone, and it hears nothing more. */
  release(): void {
    const endTurn = this.#endTurn;
    this.#endTurn = undefined;
    if (endTurn !== undefined) void this.#run('ROLLBACK', undefined).catch(() => undefined).finally(endTurn);
    if (this.#listening.size > 0) void this.#inTurn(() => this.#unlisten(undefined)).catch(() => undefined);
  }

  /** Also listening takes a turn: within somebody's transaction it would be undone with that. */
  async #inTurn(act: () => Promise<void>): Promise<void> {
    if (this.#endTurn !== undefined) return await act();
    const endTurn = await this.#session.turns.take();
    try {
      await act();
    } finally {
      endTurn();
    }
  }

  async #run<R>(text: string, values: readonly unknown[] | undefined): Promise<PgQueryResult<R>> {
    const { database, refusal } = this.#session;
    if (refusal !== undefined) throw refusal;
    if (values !== undefined && values.length > 0) return toResult(await database.query<R>(text, [...values]));
    // Several statements are allowed where there are no values; the result is that of the last.
    const results = await database.exec(text);
    const last = results.at(-1);
    return last === undefined ? { rows: [], rowCount: 0 } : toResult(last as Results<R>);
  }

  async #listen(channel: string): Promise<void> {
    if (this.#listening.has(channel)) return;
    const stop = await this.#session.database.listen(`"${channel}"`, (payload) => {
      this.emit('notification', { channel, payload, processId: 0 } satisfies PgNotification);
    });
    this.#listening.set(channel, () => stop());
  }

  async #unlisten(channel: string | undefined): Promise<void> {
    const channels = channel === undefined ? [...this.#listening.keys()] : [channel];
    for (const one of channels) {
      const stop = this.#listening.get(one);
      this.#listening.delete(one);
      await stop?.();
    }
  }
}

function toResult<R>(result: Results<R>): PgQueryResult<R> {
  const { rows, affectedRows = 0 } = result;
  return { rows, rowCount: affectedRows === 0 ? rows.length : affectedRows };
}
