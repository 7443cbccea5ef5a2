import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { Credentials } from './credentials.ts';
import type { SiteAccess } from './kubeconfig.ts';

/** An answer whose body is still to be read. Read it to its end or call `cancel`, or its connection stays taken. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Decoded chunks; fails with `LB_SITE_UNREACHABLE` when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

export interface RawRequest {
  readonly method: string;
  /** Path and query, below the server's URL. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sends requests to one server over kept-open connections. */
export interface Transport {
  send(request: RawRequest): Promise<RawAnswer>;
  /** Lets what is under way finish, then closes the connections. */
  close(): Promise<void>;
  /** Breaks off what is under way. */
  destroy(): Promise<void>;
}

export interface TransportOptions {
  /** Connections open at once at most; further requests wait. */
  readonly connections: number;
  /** Milliseconds until an answer must begin. API servers end their own requests after 60 s. */
  readonly headersTimeoutMs: number;
  /** Milliseconds that may pass between two pieces of a body. */
  readonly bodyTimeoutMs: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Below the idle timeouts of common load balancers, so that a kept connection is not a dead one. */
const KEEP_ALIVE_MS = 30_000;

/** Opens a transport for a server with these credentials. Connects when first used. Throws `LB_SITE_CONFIG` for a proxy it cannot use. */
export async function openTransport(access: SiteAccess, credentials: Credentials, options: TransportOptions): Promise<Transport> {
  const { server } = access.cluster;
  const base = new URL(server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const dispatcher = await openDispatcher(access, credentials, options);
  const compress = !isLoopback(base.hostname);
  return {
    async send({ method, path, headers, body, signal }) {
      try {
        const answer = await dispatcher.request({
          origin: base.origin,
          path: prefix + path,
          method,
          headers: compress ? { ...headers, 'accept-encoding': 'gzip' } : headers,
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        });
        const gzip = answer.headers['content-encoding'] === 'gzip';
        return {
          status: answer.statusCode,
          headers: answer.headers,
          // The callback is needed by `pipeline`; a failure reaches the reader through the stream.
          body: readable(gzip ? pipeline(answer.body, createGunzip(), () => undefined) : answer.body, server, signal),
          cancel() {
            // Destroying a body that was not read to its end makes it emit an error nobody waits for.
            answer.body.on('error', () => undefined);
            answer.body.destroy();
          },
        };
      } catch (error) {
        throw translate(error, server, signal);
      }
    },
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  };
}

async function openDispatcher(access: SiteAccess, credentials: Credentials, options: TransportOptions): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent, ProxyAgent, Socks5ProxyAgent } = await import('undici');
  const tls = { ...credentials.tls, timeout: CONNECT_TIMEOUT_MS };
  const pool = {
    connections: options.connections,
    pipelining: 1,
    // HTTP/1.1: several connections carry parallel lists faster than streams that share one.
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.bodyTimeoutMs,
  };
  const proxy = access.cluster['proxy-url'];
  if (proxy) {
    const scheme = URL.canParse(proxy) ? new URL(proxy).protocol : '';
    if (scheme === 'socks5:') return new Socks5ProxyAgent(proxy, { ...pool, requestTls: tls });
    if (scheme === 'http:' || scheme === 'https:') return new ProxyAgent({ ...pool, uri: proxy, requestTls: tls });
    throw new LifeboatError('LB_SITE_CONFIG', 'The proxy-url of the cluster is not an http, https or socks5 URL', { where: access.from });
  }
  // As kubectl: HTTPS_PROXY and NO_PROXY are followed, except for this machine.
  if (proxiedByEnvironment() && !isLoopback(new URL(access.cluster.server).hostname)) {
    return new EnvHttpProxyAgent({ ...pool, connect: tls, requestTls: tls });
  }
  return new Agent({ ...pool, connect: tls });
}

function proxiedByEnvironment(env: NodeJS.ProcessEnv = process.env): boolean {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => env[name]);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

async function* readable(body: AsyncIterable<Uint8Array>, server: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw translate(error, server, signal);
  }
}

/** Certificate failures never pass by waiting. Source: Node.js docs, "X509 certificate error codes". */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_/;

function translate(error: unknown, server: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof LifeboatError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (CERTIFICATE_ERROR.test(code)) {
    return new LifeboatError('LB_SITE_CONFIG', `TLS with the API server failed: ${messageOf(error)} (${code})`, {
      where: server,
      hint: 'Check certificate-authority, client-certificate and tls-server-name in the kubeconfig.',
      cause: error,
    });
  }
  return new LifeboatError('LB_SITE_UNREACHABLE', `The API server did not answer: ${messageOf(error) || code}`, {
    where: server,
    hint: 'Check that the server in the kubeconfig is up and can be reached from here.',
    cause: error,
  });
}
