import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { openVault } from '../../src/vault/open.ts';
import { probeVault } from '../../src/vault/probe.ts';
import type { ProbeCheck } from '../../src/vault/probe.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import { addVersitygwUser, startVersitygw } from '../testbed/s3/versitygw.ts';
import { failure, keysOf } from './bytes.ts';
import { s3Settings } from './s3-settings.ts';

const ALL = ['list', 'create', 'exclusive', 'immutable', 'read', 'range', 'consistent', 'delete'];
const failed = (checks: readonly ProbeCheck[]): string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);

describe('probing a bucket', () => {
  const servers: S3Server[] = [];
  let versitygw: S3Server;
  beforeAll(async () => {
    versitygw = await startVersitygw();
    servers.push(versitygw, await startSeaweedfs());
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('finds all well with the servers that are known to be', async () => {
    for (const server of servers) {
      const vault = await openVault({ ...s3Settings(server, await server.createBucket()), name: 'remote' });
      const checks = await probeVault(vault);
      expect(checks.map(({ name }) => name)).toEqual(ALL);
      expect(failed(checks)).toEqual([]);
      expect(await keysOf(vault)).toEqual([]);
      await vault.close();
    }
  });

  it('is content with a writer that may not delete, and says what stays', async () => {
    const bucket = await versitygw.createBucket();
    const credentials = await addVersitygwUser(versitygw, bucket, ['s3:PutObject', 's3:GetObject', 's3:ListBucket']);
    const vault = await openVault({ ...s3Settings({ endpoint: versitygw.endpoint, credentials }, bucket), name: 'remote' });
    const checks = await probeVault(vault);
    expect(failed(checks)).toEqual([]);
    const left = await keysOf(vault, 'probe/');
    expect(left).toHaveLength(5);
    expect(checks.at(-1)?.detail).toMatch(/^Deleting is not permitted.*5 objects with \d+ bytes stay below probe\//);
    await vault.close();
  });

  it('says which right a reader lacks, and tries nothing that needs it', async () => {
    const bucket = await versitygw.createBucket();
    const credentials = await addVersitygwUser(versitygw, bucket, ['s3:GetObject', 's3:ListBucket']);
    const vault = await openVault({ ...s3Settings({ endpoint: versitygw.endpoint, credentials }, bucket), name: 'remote' });
    const checks = await probeVault(vault);
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([['list', true], ['create', false]]);
    expect(checks[1]?.hint).toContain('s3:PutObject');
    await vault.close();
  });

  it('stops at once where there is no bucket', async () => {
    const vault = await openVault({ ...s3Settings(versitygw, 'no-such-bucket'), name: 'remote' });
    const checks = await probeVault(vault);
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([['list', false]]);
    await vault.close();
  });
});

describe('probing a store that breaks its promises', () => {
  let path: string;
  let good: Vault;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'lifeboat-probe-'));
    good = await openDirectoryVault({ name: 'disk', path });
  });
  afterEach(async () => {
    await rm(path, { recursive: true });
  });

  /** A good vault, but for some calls. */
  const but = (bad: Partial<Vault>): Vault => ({
    name: 'bad',
    location: 'nowhere',
    locks: good.locks,
    put: (...args) => good.put(...args),
    get: (...args) => good.get(...args),
    head: (...args) => good.head(...args),
    list: (...args) => good.list(...args),
    retain: (...args) => good.retain(...args),
    delete: (...args) => good.delete(...args),
    close: () => good.close(),
    ...bad,
  });

  it('finds a folder to be well', async () => {
    expect(failed(await probeVault(good))).toEqual([]);
    expect(await keysOf(good)).toEqual([]);
  });

  it('finds puts that overwrite', async () => {
    const put: Vault['put'] = async (key, body, options) => {
      await good.delete(key);
      await good.put(key, body, options);
      return 'created';
    };
    const checks = await probeVault(but({ put }));
    expect(failed(checks)).toEqual(expect.arrayContaining(['exclusive', 'immutable']));
    expect(checks.find(({ name }) => name === 'exclusive')?.hint).toContain('If-None-Match');
  });

  it('finds bytes that change', async () => {
    const get: Vault['get'] = async (key, options) => {
      const { length, body } = await good.get(key, options);
      const changed = async function* () {
        for await (const part of body) yield part.map((byte) => byte ^ 1);
      };
      return { length, body: changed() };
    };
    expect(failed(await probeVault(but({ get })))).toContain('read');
  });

  it('finds ranges that are not understood', async () => {
    const get: Vault['get'] = (key) => good.get(key);
    expect(failed(await probeVault(but({ get })))).toEqual(['range']);
  });

  it('finds listings that lag behind, or are in another order', async () => {
    const late: Vault['list'] = async function* (prefix, options) {
      for await (const info of good.list(prefix, options)) if (!info.key.endsWith('race')) yield info;
    };
    const backwards: Vault['list'] = async function* (prefix) {
      for (const key of (await keysOf(good, prefix)).toReversed()) yield { key, size: (await good.head(key))?.size ?? 0 };
    };
    for (const list of [late, backwards]) expect(failed(await probeVault(but({ list })))).toEqual(['consistent']);
  });

  it('ends when its signal fires', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const head: Vault['put'] = async (...args) => {
      stop.abort(reason);
      return good.put(...args);
    };
    expect(await failure(probeVault(but({ put: head }), { signal: stop.signal }))).toBe(reason);
  });
});
