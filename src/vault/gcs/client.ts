import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import { createAgents } from '../agents.ts';
import type { Checksum } from '../body.ts';
import type { GcsVaultConfig } from '../config.ts';
import { credentialFrom } from '../environment.ts';
import { VaultError } from '../errors.ts';
import { sendHttp } from '../http.ts';

/** Google's own address of the JSON API. */
const GOOGLE = 'https://storage.googleapis.com';

/** More than any answer that is not an object has; a page of a listing has less than 1 MB. */
const LONGEST_TEXT = 16 * 1024 * 1024;

/** A request to the JSON API. */
export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the endpoint, or the whole address of an upload that was begun. */
  readonly url: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Give the answer's body as a stream when the request succeeds. */
  readonly stream?: boolean;
}

export interface GcsAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON, text, or the stream that was asked for. */
  readonly data: unknown;
}

/** What speaks to Google, with credentials if there are any. */
export interface GcsClient {
  /** Without a `/` at its end. */
  readonly endpoint: string;
  /** Sends a request and gives the answer, whatever its status. Rejects when there was none, or `NoToken` when no token could be got. */
  send(request: GcsRequest, signal: AbortSignal): Promise<GcsAnswer>;
  /** A CRC32C that is yet to see bytes, and its value in Base64 as Google writes it. */
  crc32c(): Pick<Checksum, 'update'> & { readonly value: () => string };
  /** Closes its connections. */
  destroy(): void;
}

/** Thrown when Google's library found no credentials, or could not get a token for those it found. */
export class NoToken extends Error {}

/**
 * Loads the SDK and makes a client. Nothing is sent yet. Throws `LB_VAULT_ACCESS` when the credentials that are named
 * are not there.
 *
 * What is used of the SDK is how it finds credentials and gets tokens for them, in all the ways Google has. The requests are made
 * here: the SDK's calls for objects cannot be stopped by a signal, try again by themselves, delete an object whose checksum
 * they do not like, and do not notice that a connection broke while an object was read.
 */
export async function configureClient(config: GcsVaultConfig, env: NodeJS.ProcessEnv): Promise<GcsClient> {
  const credentials = await namedCredentials(config, env);
  const { Storage, CRC32C } = await import('@google-cloud/storage');
  const endpoint = (config.endpoint ?? GOOGLE).replace(/\/$/, '');
  const storage = new Storage(credentials === undefined ? {} : { credentials });
  // A token is worth a lot to whoever listens at an address that is not Google's.
  const anonymous = credentials === undefined && !new URL(endpoint).hostname.endsWith('.googleapis.com');
  const agents = createAgents();
  const authorization = async (url: URL): Promise<Record<string, string>> => {
    if (anonymous) return {};
    try {
      return { ...(await storage.authClient.getRequestHeaders(url.href)) };
    } catch (error) {
      throw new NoToken(messageOf(error), { cause: error });
    }
  };
  return {
    endpoint,
    send: async ({ method, url, params = {}, headers = {}, body, stream = false }, signal) => {
      const address = new URL(url.startsWith('/') ? endpoint + url : url);
      for (const [name, value] of Object.entries(params)) address.searchParams.set(name, value);
      const all = { ...headers, ...(await authorization(address)) };
      const answer = await sendHttp({ method, url: address, headers: all, body }, agents, signal);
      const status = answer.statusCode ?? 0;
      if (stream && status < 300) return { status, headers: answer.headers, data: answer };
      return { status, headers: answer.headers, data: parsed(await textOf(answer)) };
    },
    crc32c: () => {
      const sum = new CRC32C();
      return { update: (bytes) => sum.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)), value: () => sum.toString() };
    },
    destroy: () => agents.destroy(),
  };
}

/** The JSON that Google gives out as a key or a configuration. Undefined when none is named. */
async function namedCredentials({ credentials, name }: GcsVaultConfig, env: NodeJS.ProcessEnv): Promise<object | undefined> {
  if (credentials === undefined) return undefined;
  const source = 'keyEnv' in credentials ? `The environment variable ${credentials.keyEnv}` : credentials.keyFile;
  const text = 'keyEnv' in credentials ? credentialFrom(env, credentials.keyEnv, name) : await readKey(credentials.keyFile, name);
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && 'type' in value) return value;
  throw new VaultError('LB_VAULT_ACCESS', name, `${source} does not hold credentials of Google Cloud`, {
    hint: 'It must hold the JSON of a service account key, or of workload identity federation.',
  });
}

async function readKey(path: string, vault: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new VaultError('LB_VAULT_ACCESS', vault, `The credentials in ${path} cannot be read: ${messageOf(error)}`, {
      hint: 'Correct `credentials.keyFile` of the vault.',
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function textOf(answer: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.byteLength;
    if (length > LONGEST_TEXT) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
