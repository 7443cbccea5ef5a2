import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ContainerSASPermissions, generateBlobSASQueryParameters, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { VaultSettings } from '../../src/vault/config.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { openOtherSoftware, openVault } from '../../src/vault/open.ts';
import { probeVault } from '../../src/vault/probe.ts';
import type { ProbeCheck } from '../../src/vault/probe/check.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startAzurite } from '../testbed/azure/azurite.ts';
import type { AzureServer } from '../testbed/azure/azurite.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import type { GcsServer } from '../testbed/gcs/fake-gcs-server.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import { addVersitygwUser, startVersitygw } from '../testbed/s3/versitygw.ts';
import { failure, keysOf } from './bytes.ts';
import { azureSettings } from './azure-settings.ts';
import { gcsSettings } from './gcs-settings.ts';
import { s3Settings } from './s3-settings.ts';

const COMMON = ['list', 'create', 'exclusive', 'immutable', 'read', 'range', 'consistent', 'overwrite'];
const those = (checks: readonly ProbeCheck[], status: ProbeCheck['status']): string[] =>
  checks.filter((check) => check.status === status).map(({ name }) => name);
const failed = (checks: readonly ProbeCheck[]): string[] => those(checks, 'fail');
const detailOf = (checks: readonly ProbeCheck[], name: ProbeCheck['name']): string => checks.find((check) => check.name === name)?.detail ?? '';

/** Probes as doctor does, and gives what stays below `probe/` as well. */
async function probe(settings: VaultSettings, role?: 'write' | 'maintain'): Promise<{ checks: ProbeCheck[]; left: string[] }> {
  const config = { ...settings, name: 'remote' };
  const vault = await openVault(config);
  const other = await openOtherSoftware(config);
  try {
    const checks = await probeVault(vault, { other, role });
    return { checks, left: await keysOf(vault, 'probe/').catch(() => ['not to be listed']) };
  } finally {
    await other?.close();
    await vault.close();
  }
}

describe('probing a bucket', () => {
  let versitygw: S3Server;
  let seaweedfs: S3Server;
  let gcs: GcsServer;
  let azurite: AzureServer;
  beforeAll(async () => {
    versitygw = await startVersitygw();
    seaweedfs = await startSeaweedfs();
    gcs = await startFakeGcs('memory');
    azurite = await startAzurite();
  });
  afterAll(async () => {
    await Promise.all([versitygw, seaweedfs, gcs, azurite].map((server) => server?.stop()));
  });

  const stores: [string, () => Promise<VaultSettings>][] = [
    ['versitygw', async () => s3Settings(versitygw, await versitygw.createBucket())],
    ['SeaweedFS', async () => s3Settings(seaweedfs, await seaweedfs.createBucket())],
    ['fake-gcs-server', async () => gcsSettings(gcs, await gcs.createBucket())],
    ['Azurite', async () => azureSettings(azurite, await azurite.createContainer())],
  ];
  it.each(stores)('of %s finds all well, warns a writer of rights it should not have, and leaves nothing', async (_, create) => {
    const { checks, left } = await probe(await create(), 'write');
    expect(checks.map(({ name }) => name)).toEqual([...COMMON, 'delete']);
    expect(failed(checks)).toEqual([]);
    expect(those(checks, 'warn')).toEqual(['overwrite', 'delete']);
    expect(left).toEqual([]);
    const { checks: maintainers } = await probe(await create(), 'maintain');
    expect(those(maintainers, 'warn')).toEqual(['overwrite']);
  });

  it.each<[string, () => Promise<VaultSettings>]>([
    ['versitygw', async () => s3Settings(versitygw, await versitygw.createBucket({ versions: true }))],
    ['SeaweedFS', async () => s3Settings(seaweedfs, await seaweedfs.createBucket({ versions: true }))],
    ['fake-gcs-server', async () => gcsSettings(gcs, await gcs.createBucket({ versions: true }))],
  ])('of %s finds that it keeps versions, and removes all of them', async (_, create) => {
    const settings = await create();
    const { checks } = await probe(settings);
    expect(failed(checks)).toEqual([]);
    expect(detailOf(checks, 'overwrite')).toContain('the genuine object can still be read');
    const vault = await openVault({ ...settings, name: 'remote' });
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([]);
    await vault.close();
  });

  it.concurrent.each<[string, () => Promise<VaultSettings>]>([
    ['versitygw', async () => s3Settings(versitygw, await versitygw.createBucket({ lock: true }), { lock: true })],
    ['SeaweedFS', async () => s3Settings(seaweedfs, await seaweedfs.createBucket({ lock: true }), { lock: true })],
  ])('of %s tries the lock, and waits until it has ended', async (_, create) => {
    const settings = await create();
    const { checks } = await probe(settings, 'maintain');
    expect(checks.map(({ name }) => name)).toEqual([...COMMON, 'lock', 'delete']);
    expect(those(checks, 'ok')).toHaveLength(checks.length);
    expect(detailOf(checks, 'lock')).toBe('Objects can be locked, and locks be made longer');
    const vault = await openVault({ ...settings, name: 'remote' });
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([]);
    await vault.close();
  });

  it('finds stores that take a lock and do not keep it, or cannot lock', async () => {
    const { checks: azure } = await probe(azureSettings(azurite, await azurite.createContainer(), { lock: true }));
    expect(failed(azure)).toEqual(['lock']);
    expect(detailOf(azure, 'lock')).toContain('does not keep them');
    const { checks: s3, left } = await probe(s3Settings(seaweedfs, await seaweedfs.createBucket(), { lock: true }));
    expect(failed(s3)).toEqual(['lock']);
    expect(s3.find(({ name }) => name === 'lock')?.hint).toContain('made with object lock');
    expect(left).toEqual([]);
  });

  it('is content with a writer that may not delete, and says what stays', async () => {
    const bucket = await versitygw.createBucket();
    const credentials = await addVersitygwUser(versitygw, bucket, ['s3:PutObject', 's3:GetObject', 's3:ListBucket']);
    const settings = s3Settings({ endpoint: versitygw.endpoint, credentials }, bucket);
    const { checks, left } = await probe(settings, 'write');
    expect(failed(checks)).toEqual([]);
    expect(those(checks, 'warn')).toEqual(['overwrite']);
    expect(left).toHaveLength(6);
    expect(checks.at(-1)?.detail).toMatch(/^Deleting is not permitted.*6 objects with \d+ bytes stay below probe\//);
    expect(those((await probe(settings, 'maintain')).checks, 'warn')).toEqual(['overwrite', 'delete']);
  });

  it('warns a writer that can hide objects, though it cannot delete them, and one that may not list versions', async () => {
    const bucket = await versitygw.createBucket({ lock: true });
    const adding = ['s3:PutObject', 's3:PutObjectRetention', 's3:GetObject', 's3:GetObjectVersion', 's3:GetObjectRetention', 's3:ListBucket'];
    const settingsFor = async (...more: string[]): Promise<VaultSettings> =>
      s3Settings({ endpoint: versitygw.endpoint, credentials: await addVersitygwUser(versitygw, bucket, [...adding, ...more]) }, bucket, { lock: true });
    const { checks: hiding } = await probe(await settingsFor('s3:ListBucketVersions', 's3:DeleteObject'), 'write');
    expect([failed(hiding), those(hiding, 'warn')]).toEqual([[], ['delete']]);
    expect(detailOf(hiding, 'delete')).toContain('can hide objects behind marks of deletion');
    const { checks: blind } = await probe(await settingsFor(), 'write');
    expect([failed(blind), those(blind, 'warn')]).toEqual([[], ['overwrite', 'lock']]);
    expect(detailOf(blind, 'lock')).toContain('may not list versions');
  });

  it('is content with a signature that only lets objects be created, read and listed', async () => {
    const container = await azurite.createContainer();
    const credential = new StorageSharedKeyCredential(azurite.account, azurite.accountKey);
    const expiresOn = new Date(Date.now() + 3_600_000);
    const sas = generateBlobSASQueryParameters(
      { containerName: container, permissions: ContainerSASPermissions.parse('rcl'), expiresOn },
      credential,
    );
    process.env['TEST_PROBE_SAS'] = sas.toString();
    const { checks } = await probe(azureSettings(azurite, container, { credentials: { sasEnv: 'TEST_PROBE_SAS' } }), 'write');
    expect(those(checks, 'ok')).toHaveLength(checks.length);
    expect(detailOf(checks, 'overwrite')).toBe('These credentials cannot put anything over an object');
  });

  it('says which right a reader lacks, and tries nothing that needs it', async () => {
    const bucket = await versitygw.createBucket();
    const credentials = await addVersitygwUser(versitygw, bucket, ['s3:GetObject', 's3:ListBucket']);
    const { checks } = await probe(s3Settings({ endpoint: versitygw.endpoint, credentials }, bucket));
    expect(checks.map(({ name, status }) => [name, status])).toEqual([['list', 'ok'], ['create', 'fail']]);
    expect(checks[1]?.hint).toContain('s3:PutObject');
  });

  it('stops at once where there is no bucket', async () => {
    const places = [s3Settings(versitygw, 'no-such-bucket'), gcsSettings(gcs, 'no-such-bucket'), azureSettings(azurite, 'no-such-container')];
    for (const settings of places) {
      const { checks } = await probe(settings);
      expect(checks.map(({ name, status }) => [name, status])).toEqual([['list', 'fail']]);
    }
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
    uncover: (...args) => good.uncover(...args),
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
    expect(checks.find(({ name }) => name === 'exclusive')?.hint).toContain('created only');
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
