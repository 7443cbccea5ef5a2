import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { S3VaultConfig } from '../../src/vault/config.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { addVersitygwUser, startVersitygw } from '../testbed/s3/versitygw.ts';
import { codeOf, codesOf, digest, digestOf, failure, keysOf, someBytes } from './bytes.ts';
import { s3Settings } from './s3-settings.ts';
import { everythingIn } from './secrets.ts';

type Settings = Omit<S3VaultConfig, 'name'>;

const open = (settings: Settings): Promise<Vault> => openVault({ ...settings, name: 'remote' }, { retry: false });

/** Every call there is, each of which must fail. */
const allCalls = (vault: Vault): Promise<unknown>[] => [
  vault.put('a', someBytes(10)),
  vault.put('b', someBytes(40_000_000)),
  vault.get('a'),
  vault.get('a', { offset: -5, length: 2 }),
  vault.head('a'),
  vault.delete('a'),
  keysOf(vault),
];

describe.each([
  ['SeaweedFS', startSeaweedfs],
  ['versitygw', startVersitygw],
])('a bucket of %s', (_, start) => {
  let server: S3Server;
  let bucket: string;
  beforeAll(async () => {
    server = await start();
    bucket = await server.createBucket();
  });
  afterAll(async () => {
    await server?.stop();
  });

  it.each([
    ['an unknown access key id', { accessKeyId: 'no-such-key-id-0123456789' }],
    ['a wrong secret', { secretAccessKey: 'wrong-secret-0123456789-abcdef' }],
  ])('refuses %s, which no error text shows', async (_, wrong) => {
    const credentials = { ...server.credentials, ...wrong };
    const vault = await open(s3Settings({ endpoint: server.endpoint, credentials }, bucket));
    for (const error of await Promise.all(allCalls(vault).map(failure))) {
      expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
      expect(error).toHaveProperty('hint', expect.stringContaining('credentials'));
      const text = everythingIn(error);
      expect(text).not.toContain(credentials.accessKeyId);
      expect(text).not.toContain(credentials.secretAccessKey);
      expect(text).not.toContain('Signature=');
    }
    await vault.close();
  });

  it('that does not exist is missed by every call', async () => {
    const vault = await open(s3Settings(server, 'no-such-bucket'));
    expect(new Set(await codesOf(allCalls(vault)))).toEqual(new Set(['LB_VAULT_NOT_FOUND']));
    await vault.close();
  });

  it('holds several vaults below different prefixes, which do not see each other', async () => {
    const prefixes = ['', 'one', 'one-more', 'one.more/deep'];
    const own = await server.createBucket();
    const settings = prefixes.map((prefix) => s3Settings(server, own, prefix === '' ? {} : { prefix }));
    const vaults = await Promise.all(settings.map(open));
    for (const [i, vault] of vaults.entries()) expect(await vault.put(`k/${i}`, someBytes(10, i))).toBe('created');
    for (const [i, vault] of vaults.entries()) {
      expect(await keysOf(vault, 'k/')).toEqual([`k/${i}`]);
      expect(await digestOf(vault, `k/${i}`)).toBe(digest(someBytes(10, i)));
    }
    const [whole] = vaults;
    expect(await keysOf(whole as Vault)).toEqual(['k/0', 'one-more/k/2', 'one.more/deep/k/3', 'one/k/1']);
    await Promise.all(vaults.map((vault) => vault.close()));
  });
});

describe('a bucket', () => {
  let server: S3Server;
  let bucket: string;
  beforeAll(async () => {
    server = await startVersitygw();
    bucket = await server.createBucket();
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('is named without credentials', async () => {
    const vault = await open(s3Settings(server, bucket, { prefix: 'a/b' }));
    expect(vault.location).toBe(`s3 ${server.endpoint}/${bucket}/a/b`);
    await vault.close();
  });

  it('needs the environment variables that its credentials are said to be in', async () => {
    const settings = s3Settings(server, bucket);
    const credentials = { accessKeyIdEnv: 'NO_SUCH_VARIABLE', secretAccessKeyEnv: 'NOR_THIS' };
    const error = await failure(open({ ...settings, credentials }));
    expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
    expect(String(error)).toContain('NO_SUCH_VARIABLE');
  });

  it('can be read with rights to read alone, and says which are missing', async () => {
    const own = await server.createBucket();
    const owner = await open(s3Settings(server, own));
    await owner.put('a', someBytes(10));
    const credentials = await addVersitygwUser(server, own, ['s3:GetObject', 's3:ListBucket']);
    const reader = await open(s3Settings({ endpoint: server.endpoint, credentials }, own));
    expect(await digestOf(reader, 'a')).toBe(digest(someBytes(10)));
    expect(await keysOf(reader)).toEqual(['a']);
    const refused = await failure(reader.put('b', someBytes(10)));
    expect(codeOf(refused)).toBe('LB_VAULT_ACCESS');
    expect(refused).toHaveProperty('hint', expect.stringContaining('s3:PutObject'));
    expect(codeOf(await failure(reader.delete('a')))).toBe('LB_VAULT_ACCESS');
    await Promise.all([owner.close(), reader.close()]);
  });

  it('can be written to without the right to read', async () => {
    const own = await server.createBucket();
    const credentials = await addVersitygwUser(server, own, ['s3:PutObject']);
    const writer = await open(s3Settings({ endpoint: server.endpoint, credentials }, own));
    expect(await writer.put('small', someBytes(10))).toBe('created');
    expect(await writer.put('large', someBytes(40_000_000))).toBe('created');
    expect(await writer.put('small', someBytes(10))).toBe('exists');
    expect(codeOf(await failure(writer.get('small')))).toBe('LB_VAULT_ACCESS');
    await writer.close();
  });

  it('is unavailable while its server is down, and there again with all it acknowledged', async () => {
    const vault = await open(s3Settings(server, bucket, { prefix: 'restart' }));
    await vault.put('a', someBytes(1000));
    await server.kill();
    const codes = await codesOf(allCalls(vault));
    await server.restart();
    expect(new Set(codes)).toEqual(new Set(['LB_VAULT_UNAVAILABLE']));
    expect(await digestOf(vault, 'a')).toBe(digest(someBytes(1000)));
    await vault.close();
  });

  it('loses nothing it acknowledged when its server is killed while objects are stored', async () => {
    // Tries until the server is there again, however long a busy machine takes to start it.
    const retry = { attempts: 1000, longestPauseMs: 1000 };
    const vault = await openVault({ ...s3Settings(server, bucket, { prefix: 'kill' }), name: 'remote' }, { retry });
    const keys = Array.from({ length: 200 }, (_, i) => `k/${i}`);
    const storing = Promise.all(keys.map((key, i) => vault.put(key, someBytes(20_000, i))));
    await server.kill();
    await server.restart();
    expect(await storing).toEqual(keys.map(() => 'created'));
    expect(await keysOf(vault)).toEqual(keys.toSorted());
    for (const [i, key] of keys.entries()) expect(await digestOf(vault, key)).toBe(digest(someBytes(20_000, i)));
    await vault.close();
  });

  it('is used only when its certificate can be trusted', async () => {
    const authority = createAuthority('authority of a test');
    const { certificate, key } = authority.issue({ commonName: 'store', usage: 'server', addresses: ['127.0.0.1'] });
    const proxy = await startFaultProxy({ upstream: server.endpoint, tls: { cert: certificate, key } });
    const settings = s3Settings({ endpoint: proxy.url, credentials: server.credentials }, bucket, { prefix: 'tls' });
    const distrusting = await open(settings);
    const known = getCACertificates('default');
    try {
      expect(new Set(await codesOf(allCalls(distrusting)))).toEqual(new Set(['LB_VAULT_UNTRUSTED']));
      // As NODE_EXTRA_CA_CERTS does for a process that is yet to start.
      setDefaultCACertificates([...known, authority.certificate]);
      const trusting = await open(settings);
      expect(await trusting.put('a', someBytes(5_000_000))).toBe('created');
      expect(await digestOf(trusting, 'a')).toBe(digest(someBytes(5_000_000)));
      await trusting.close();
    } finally {
      setDefaultCACertificates(known);
      await distrusting.close();
      await proxy.close();
    }
  });

  it('is unavailable when nobody listens', async () => {
    const elsewhere = await open(s3Settings({ endpoint: 'http://127.0.0.1:1', credentials: server.credentials }, bucket));
    expect(new Set(await codesOf(allCalls(elsewhere)))).toEqual(new Set(['LB_VAULT_UNAVAILABLE']));
    await elsewhere.close();
  });
});
