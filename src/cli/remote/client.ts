import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { ERROR_CODES } from '../../core/error-codes.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import { secretFromFile } from '../../access/secret-source.ts';
import type { Context } from '../context.ts';

/** How a server is reached, as given on the command line. */
export interface ServerOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly serverCa?: string;
}

/** How long the server may take to answer, ms. */
const PATIENCE = 60_000;
/** An answer that is longer than this is not one of lifeboat. */
const LARGEST = 16 * 1024 * 1024;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const problemSchema = z.object({ code: z.string(), detail: z.string(), hint: z.string().optional(), where: z.string().optional() });

/** Speaks to a lifeboat server. */
export class ApiClient {
  readonly #base: URL;
  readonly #credentials: RequestOptions;
  readonly #headers: OutgoingHttpHeaders;
  readonly #signal: AbortSignal;

  private constructor(base: URL, credentials: RequestOptions, headers: OutgoingHttpHeaders, signal: AbortSignal) {
    [this.#base, this.#credentials, this.#headers, this.#signal] = [base, credentials, headers, signal];
  }

  /** Reads credentials: a token from `--token-file` or `LIFEBOAT_TOKEN`, or a client certificate. Throws `LB_USAGE`, `LB_KEY_MISSING`. */
  static async open(context: Context, options: ServerOptions): Promise<ApiClient> {
    const base = parseBase(options.server ?? '');
    const { clientCertificate, clientKey, serverCa, tokenFile } = options;
    if ((clientCertificate === undefined) !== (clientKey === undefined)) throw usage('A client certificate needs its key', 'Give --client-certificate FILE and --client-key FILE.');
    const token = clientCertificate === undefined ? await readToken(context, tokenFile) : undefined;
    if (clientCertificate === undefined && token === undefined) {
      throw new LifeboatError('LB_KEY_MISSING', 'Nothing says who is asking', { where: base.origin, hint: 'Put a token into LIFEBOAT_TOKEN, give --token-file FILE, or --client-certificate FILE and --client-key FILE.' });
    }
    if (base.protocol === 'http:' && !LOOPBACK.has(base.hostname)) throw usage('A credential is not sent without TLS', 'Use the https:// address of the server.', base.origin);
    const read = async (file: string | undefined): Promise<Buffer | undefined> => (file === undefined ? undefined : readFileOf(context.path(file)));
    const [cert, key, ca] = await Promise.all([read(clientCertificate), read(clientKey), read(serverCa)]);
    const credentials = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(ca !== undefined && { ca }) };
    if (cert !== undefined) checkPair(credentials, context.path(clientCertificate ?? ''));
    return new ApiClient(base, credentials, token === undefined ? {} : { authorization: `Bearer ${token}` }, context.signal);
  }

  /** One request, and its answer as the schema has it. Throws what the server refuses it with, and `LB_API_UNAVAILABLE`. */
  async ask<T extends z.ZodType>(schema: T, method: 'GET' | 'POST' | 'DELETE', path: string, options: { readonly body?: object; readonly headers?: OutgoingHttpHeaders } = {}): Promise<z.output<T>> {
    const response = await this.#send(method, path, options);
    const value = await readJson(response, this.#base.origin);
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw notLifeboat(this.#base.origin, 'it answers something else');
  }

  /** Server-sent events, until the stream ends. Nothing when the server says that there is nothing more. */
  async *events(path: string, lastSeen: string | undefined): AsyncGenerator<{ readonly event: string; readonly id: string | undefined; readonly data: string }> {
    const response = await this.#send('GET', path, { headers: { accept: 'text/event-stream', ...(lastSeen !== undefined && { 'last-event-id': lastSeen }) } });
    let text = '';
    response.setEncoding('utf8');
    for await (const part of response as AsyncIterable<string>) {
      text += part;
      if (text.length > LARGEST) throw notLifeboat(this.#base.origin, 'an event is too long');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
        const event = fields.get('event');
        if (event !== undefined) yield { event, id: fields.get('id'), data: fields.get('data') ?? '' };
      }
    }
  }

  async #send(method: string, path: string, { body, headers }: { readonly body?: object; readonly headers?: OutgoingHttpHeaders }): Promise<IncomingMessage> {
    const url = new URL(`${this.#base.pathname.replace(/\/$/, '')}${path}`, this.#base);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = { ...this.#headers, accept: 'application/json', ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }), ...headers };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = start(url, { method, headers: sent, signal: this.#signal, timeout: PATIENCE, ...this.#credentials }, resolve);
      request.once('timeout', () => request.destroy(new Error(`no answer for ${PATIENCE / 1000} s`)));
      request.once('error', (error) => {
        reject(this.#signal.aborted ? (this.#signal.reason as Error) : unreachable(url.origin, error));
      });
      request.end(text);
    });
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await refusal(response, status, url.origin);
  }
}

async function readToken(context: Context, file: string | undefined): Promise<string | undefined> {
  const token = file === undefined ? context.env['LIFEBOAT_TOKEN'] : (await secretFromFile(context.path(file), 'token')).text;
  const trimmed = token?.trim() ?? '';
  if (trimmed === '') return undefined;
  context.hide(trimmed);
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw usage('The token is not one line of visible characters', 'Write nothing else into it.');
  return trimmed;
}

async function readFileOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new LifeboatError('LB_KEY_MISSING', `A file for the connection cannot be read: ${messageOf(error)}`, { where: path, hint: 'Bring it from where it is kept, or name another.', cause: error });
  }
}

function checkPair(credentials: SecureContextOptions, where: string): void {
  try {
    createSecureContext(credentials);
  } catch (error) {
    throw new LifeboatError('LB_KEY_INVALID', `The client certificate and its key cannot be used: ${messageOf(error)}`, { where, hint: 'Both are PEM files, and the key is that of the certificate.', cause: error });
  }
}

function parseBase(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') throw usage('--server is not the address of a server', 'Write https://HOST:PORT.');
  return url;
}

async function readJson(response: IncomingMessage, where: string): Promise<unknown> {
  let text = '';
  response.setEncoding('utf8');
  for await (const part of response as AsyncIterable<string>) {
    text += part;
    if (text.length > LARGEST) throw notLifeboat(where, 'its answer is too long');
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw notLifeboat(where, 'its answer is not JSON');
  }
}

/** A problem of the server, as the error it was there. */
async function refusal(response: IncomingMessage, status: number, where: string): Promise<LifeboatError> {
  const parsed = problemSchema.safeParse(await readJson(response, where).catch(() => undefined));
  if (!parsed.success) return notLifeboat(where, `it answers with ${status}`);
  const { code, detail, hint, where: at } = parsed.data;
  return remoteError(code, detail, { where: at === undefined ? where : `${where}, ${at}`, hint });
}

/** An error of the server, with its code where this lifeboat knows it. */
export function remoteError(code: string, message: string, { hint, where }: { readonly hint?: string | undefined; readonly where?: string | undefined }): LifeboatError {
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'LB_INTERNAL';
  return new LifeboatError(known, known === code ? message : `${message} (${code})`, { ...(where !== undefined && { where }), ...(hint !== undefined && { hint }) });
}

function unreachable(where: string, error: Error): LifeboatError {
  return new LifeboatError('LB_API_UNAVAILABLE', `The server cannot be reached: ${messageOf(error)}`, {
    where,
    hint: 'Look at the address and whether the server runs; --server-ca FILE names the authority of its certificate.',
    cause: error,
  });
}

function notLifeboat(where: string, why: string): LifeboatError {
  return new LifeboatError('LB_API_UNAVAILABLE', `What answers is not a lifeboat server: ${why}`, { where, hint: 'Look at the address: `/openapi.json` is there on a lifeboat server.' });
}

function usage(message: string, hint: string, where?: string): LifeboatError {
  return new LifeboatError('LB_USAGE', message, { hint, ...(where !== undefined && { where }) });
}
