import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import { loadCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { readRefusal, refusalError } from './errors.ts';
import { ApiServerHealth } from './health.ts';
import { defaultKubeconfigPaths, inClusterAccess, readKubeconfig } from './kubeconfig.ts';
import type { SiteAccess } from './kubeconfig.ts';
import { PATIENT, withRetries } from './retry.ts';
import type { RetryLimits } from './retry.ts';
import { openTransport } from './transport.ts';
import type { RawAnswer, Transport } from './transport.ts';

export interface ConnectOptions {
  /** What the site is called in messages. */
  readonly name: string;
  /** Path of a kubeconfig. Default: `$KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** Context in it. Default: its current one. */
  readonly context?: string | undefined;
  /** Use the service account of the pod this runs in instead of a kubeconfig. */
  readonly inCluster?: boolean | undefined;
  /** Connections open at once at most. Default 64. */
  readonly connections?: number;
  /** Milliseconds until an answer must begin. Default 70,000: API servers end their own requests after 60 s. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds that may pass between two pieces of a body. Default 60,000. */
  readonly bodyTimeoutMs?: number;
  readonly retry?: RetryLimits;
  readonly clock?: Clock;
}

/** One request to the API server. */
export interface SiteRequest {
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path below the server's URL, already encoded: `/api/v1/namespaces/shop/secrets`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: string | Uint8Array;
  /** Default `application/json`, when there is a body. */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** For messages: verb and resource, completing "not allowed to …": `list secrets`. */
  readonly doing: string;
  readonly signal?: AbortSignal | undefined;
  /** How long to repeat it while it fails for passing reasons; `false`: not at all. Default: the connection's. */
  readonly retry?: RetryLimits | false | undefined;
}

export interface SiteAnswer {
  readonly status: number;
  /** When the server says it answered (its `Date` header), in milliseconds since the epoch; whole seconds. */
  readonly date?: number;
  readonly body: Buffer;
}

/** An answer read as it arrives. Read it to the end or call `cancel`. */
export interface SiteStream {
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/**
 * A way to one Kubernetes API server. Failures are `LifeboatError`s: `LB_SITE_CONFIG`, `LB_SITE_UNREACHABLE`,
 * and for answers other than 2xx a `SiteError` (`LB_SITE_ACCESS`, `LB_SITE_REFUSED`, `LB_SITE_UNREACHABLE`).
 */
export interface SiteConnection {
  readonly name: string;
  /** The server's URL, without credentials. */
  readonly server: string;
  /**
   * Sends a request and reads the whole answer, repeating it while it fails for passing reasons: an API server may be
   * away for a minute. A POST whose answer was lost may so be refused with 409 although the first try succeeded.
   */
  request(request: SiteRequest): Promise<SiteAnswer>;
  /** Sends a request once (with fresh credentials once more after 401) and hands the body over as it arrives. */
  stream(request: SiteRequest): Promise<SiteStream>;
  /** Repeats work made of `stream` calls by the same rules as `request`. `progress()` says it got further than before. */
  retrying<T>(work: (progress: () => void) => Promise<T>, signal?: AbortSignal, limits?: RetryLimits): Promise<T>;
  /** Breaks off what is under way and frees the connections. Idempotent. */
  close(): Promise<void>;
}

const packageFile = z.object({ version: z.string() });
/** Shown in the API server's audit log. */
const USER_AGENT = `lifeboat/${packageFile.parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))).version}`;

/** An API server that never answered is asked this long; one that did is waited for by the connection's limits. */
const FIRST_CONTACT_MS = 3_000;

interface Session {
  readonly credentials: Credentials;
  readonly transport: Transport;
}

/** Connects to a site: reads the configuration and the credentials. Nothing is sent yet. Throws `LB_SITE_CONFIG`. */
export async function connectSite(options: ConnectOptions): Promise<SiteConnection> {
  const access: SiteAccess =
    options.inCluster === true
      ? inClusterAccess()
      : await readKubeconfig(options.kubeconfig === undefined ? defaultKubeconfigPaths() : [options.kubeconfig], options.context);
  return new Connection(options, access, await openSession(access, options));
}

async function openSession(access: SiteAccess, options: ConnectOptions): Promise<Session> {
  const credentials = await loadCredentials(access);
  const transport = await openTransport(access, credentials, {
    connections: options.connections ?? 64,
    headersTimeoutMs: options.headersTimeoutMs ?? 70_000,
    bodyTimeoutMs: options.bodyTimeoutMs ?? 60_000,
  });
  return { credentials, transport };
}

class Connection implements SiteConnection {
  readonly name: string;
  readonly server: string;
  readonly #options: ConnectOptions;
  readonly #access: SiteAccess;
  #session: Session;
  #renewing: Promise<void> | undefined;
  #reached = false;
  #closed = false;
  readonly #health: ApiServerHealth;

  constructor(options: ConnectOptions, access: SiteAccess, session: Session) {
    this.name = options.name;
    this.server = withoutPassword(access.cluster.server);
    this.#options = options;
    this.#access = access;
    this.#session = session;
    const askReady = { path: '/readyz', accept: 'text/plain', doing: 'get /readyz', retry: false } as const;
    this.#health = new ApiServerHealth(() => this.request(askReady), options.clock);
  }

  request(request: SiteRequest): Promise<SiteAnswer> {
    const once = async (): Promise<SiteAnswer> => {
      const answer = await this.#send(request);
      const date = Date.parse(String(answer.headers['date']));
      return { status: answer.status, body: await readAll(answer.body), ...(Number.isNaN(date) ? {} : { date }) };
    };
    return request.retry === false ? once() : this.retrying(once, request.signal, request.retry);
  }

  stream(request: SiteRequest): Promise<SiteStream> {
    return this.#send(request);
  }

  retrying<T>(work: (progress: () => void) => Promise<T>, signal?: AbortSignal, limits?: RetryLimits): Promise<T> {
    const allowed = limits ?? this.#options.retry ?? PATIENT;
    const { clock } = this.#options;
    // Asked each time: another request may have been answered meanwhile.
    const outageMs = (): number => (this.#reached ? allowed.outageMs : Math.min(allowed.outageMs, FIRST_CONTACT_MS));
    return withRetries(work, {
      limits: { ...allowed, get outageMs() { return outageMs(); } },
      signal,
      health: this.#health,
      ...(clock === undefined ? {} : { clock }),
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#session.transport.destroy();
  }

  async #send(request: SiteRequest): Promise<RawAnswer> {
    // Not retriable: whoever still tries after this must stop.
    if (this.#closed) throw new LifeboatError('LB_INTERNAL', `The connection to site "${this.name}" has been closed`);
    const used = this.#session;
    let answer = await this.#sendOnce(used, request);
    if (answer.status === 401) {
      await discard(answer);
      await this.#renew(used);
      answer = await this.#sendOnce(this.#session, request);
    }
    this.#reached = true;
    if (answer.status >= 200 && answer.status < 300) return answer;
    const retryAfter = answer.headers['retry-after'];
    const refusal = readRefusal(answer.status, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, await readAll(answer.body));
    throw refusalError(this.name, request.doing, refusal);
  }

  async #sendOnce(session: Session, request: SiteRequest): Promise<RawAnswer> {
    const headers: Record<string, string | string[]> = {
      ...(await session.credentials.headers()),
      accept: request.accept ?? 'application/json',
      'user-agent': USER_AGENT,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    return session.transport.send({
      method: request.method ?? 'GET',
      path: request.path + queryString(request.query),
      headers,
      body: request.body,
      signal: request.signal,
    });
  }

  /** Reads the configuration again, once for all requests that were refused with the same credentials. */
  #renew(used: Session): Promise<void> {
    if (this.#session !== used) return Promise.resolve();
    this.#renewing ??= this.#reopen().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #reopen(): Promise<void> {
    const old = this.#session;
    this.#session = await openSession(await this.#readAgain(), this.#options);
    // Requests under way with the old credentials finish; nobody waits for that.
    old.transport.close().catch(() => undefined);
  }

  async #readAgain(): Promise<SiteAccess> {
    if (this.#options.inCluster === true) return this.#access;
    const { kubeconfig } = this.#options;
    try {
      return await readKubeconfig(kubeconfig === undefined ? defaultKubeconfigPaths() : [kubeconfig], this.#access.context);
    } catch (error) {
      // A kubeconfig that is being rewritten, or gone by now: what it said before still holds.
      if (isLifeboatError(error, 'LB_SITE_CONFIG')) return this.#access;
      throw error;
    }
  }
}

function withoutPassword(server: string): string {
  const { origin, pathname } = new URL(server);
  return origin + pathname.replace(/\/+$/, '');
}

function queryString(query: SiteRequest['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function discard(answer: RawAnswer): Promise<void> {
  for await (const chunk of answer.body) void chunk;
}
