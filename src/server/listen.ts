import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ServerConfig } from '../config/service-schema.ts';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { PeerCertificate, Peer } from './auth/authenticate.ts';
import type { AppEnv } from './parts.ts';

const DEFAULT_LISTEN = '127.0.0.1:8420';
/** Whoever sends slowly holds no connection for longer, ms. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
/** A connection without a request ends, ms. */
const KEEP_ALIVE = 5000;
/** Connections at once. */
const MOST_CONNECTIONS = 2000;

/** A server that takes requests. */
export interface Listening {
  /** `https://127.0.0.1:8420` */
  readonly url: string;
  /** Nobody can listen in: it speaks TLS, or to this machine alone. */
  readonly isPrivate: boolean;
  /** Reads certificate, key and client authorities again: new connections get them. Throws `LB_CONFIG_INVALID`, and goes on with the old ones then. */
  reload(): Promise<void>;
  /** Takes no more requests, and resolves when those under way are answered, or after `grace` ms. */
  close(grace: number): Promise<void>;
}

/**
 * Serves the app on Node's own HTTP server, with TLS and client certificates as configured. Throws `LB_CONFIG_INVALID` when a file
 * cannot be used, `LB_USAGE` when it cannot listen.
 */
export async function listen(app: Pick<OpenAPIHono<AppEnv>, 'fetch'>, config: ServerConfig): Promise<Listening> {
  const address = parseListen(config.listen ?? DEFAULT_LISTEN);
  const files = await readTls(config);
  const answer = getRequestListener((request, env) => app.fetch(request, { peer: peerOf((env as { readonly incoming: IncomingMessage }).incoming.socket) }), { overrideGlobalObjects: false });
  const onRequest = (incoming: IncomingMessage, outgoing: Parameters<typeof answer>[1]): void => {
    void answer(incoming, outgoing);
  };
  const limits = { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: KEEP_ALIVE };
  // Whoever has no certificate, or another's, is answered 401 by the app, unless he has a token.
  const secure = { ...files, ...limits, handshakeTimeout: HEADERS_TIMEOUT, minVersion: 'TLSv1.2' as const, requestCert: config.mtls !== undefined, rejectUnauthorized: false };
  let server: Server | TlsServer;
  try {
    server = files === undefined ? createHttpServer(limits, onRequest) : createHttpsServer(secure, onRequest);
  } catch (error) {
    throw badTls(config.certificate ?? '', error);
  }
  server.maxConnections = MOST_CONNECTIONS;
  // Node does not count a connection that is still agreeing on keys as one of its own.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new LifeboatError('LB_USAGE', `The server cannot listen: ${messageOf(error)}`, { where: `${address.host}:${address.port}`, hint: 'Choose another address with `server.listen`.', cause: error })),
    );
    server.listen(address.port, address.host, resolve);
  });
  const { address: bound, port } = server.address() as AddressInfo;
  return {
    isPrivate: files !== undefined || bound === '::1' || bound.startsWith('127.'),
    url: `${files === undefined ? 'http' : 'https'}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`,
    reload: async () => {
      const fresh = await readTls(config);
      if (fresh === undefined || !('setSecureContext' in server)) return;
      try {
        server.setSecureContext({ ...fresh, minVersion: 'TLSv1.2' });
      } catch (error) {
        throw badTls(config.certificate ?? '', error);
      }
    },
    close: async (grace) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), grace);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function readTls({ certificate, key, mtls }: ServerConfig): Promise<SecureContextOptions | undefined> {
  if (certificate === undefined || key === undefined) return undefined;
  const [cert, privateKey, ca] = await Promise.all([readPem(certificate), readPem(key), mtls === undefined ? undefined : readPem(mtls.ca)]);
  return { cert, key: privateKey, ...(ca !== undefined && { ca }) };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw badTls(path, error);
  }
}

function badTls(where: string, error: unknown): LifeboatError {
  return new LifeboatError('LB_CONFIG_INVALID', `A file that TLS needs cannot be used: ${messageOf(error)}`, { where, hint: 'Look at `server.certificate`, `server.key` and `server.mtls.ca`.', cause: error });
}

function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) throw new LifeboatError('LB_CONFIG_INVALID', '`server.listen` is not an address and a port', { where: text, hint: 'Write `127.0.0.1:8420`, or `[::]:8420` for every address.' });
  return { host: host.replaceAll(/^\[|\]$/g, ''), port: Number(port) };
}

/** Who is at the other end. A certificate counts only when the authorities of the configuration issued it. */
function peerOf(socket: Socket): Peer {
  const address = socket.remoteAddress ?? 'unknown';
  if (!(socket instanceof TLSSocket) || !socket.authorized) return { address };
  const found = socket.getPeerCertificate();
  // Without a certificate there is an empty object, whatever the types say.
  if ((found.subject as unknown) === undefined) return { address };
  const certificate: PeerCertificate = {
    commonNames: [found.subject.CN].flat().filter((name) => typeof name === 'string'),
    issuer: Object.entries(found.issuer)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(', '),
    fingerprint: found.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
  return { address, certificate };
}
