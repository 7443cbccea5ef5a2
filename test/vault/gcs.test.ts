import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GcsVaultConfig } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import type { GcsServer } from '../testbed/gcs/fake-gcs-server.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { HttpDouble } from '../testbed/http-double.ts';
import { codeOf, codesOf, failure, keysOf, read, someBytes } from './bytes.ts';
import { gcsSettings } from './gcs-settings.ts';
import { everythingIn } from './secrets.ts';

const open = (settings: Omit<GcsVaultConfig, 'name'>): Promise<Vault> => openVault({ ...settings, name: 'remote' }, { retry: false });

/** Every call there is, each of which must fail. */
const allCalls = (vault: Vault): Promise<unknown>[] => [
  vault.put('a', someBytes(10)),
  vault.put('b', someBytes(40_000_000)),
  vault.get('a'),
  vault.get('a', { offset: -5, length: 2 }),
  vault.get('a', { original: true }),
  vault.head('a'),
  vault.delete('a'),
  keysOf(vault),
];

describe('a bucket of fake-gcs-server', () => {
  let server: GcsServer;
  beforeAll(async () => {
    server = await startFakeGcs('memory');
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('that does not exist is missed by every call', async () => {
    const vault = await open(gcsSettings(server, 'no-such-bucket'));
    expect(new Set(await codesOf(allCalls(vault)))).toEqual(new Set(['LB_VAULT_NOT_FOUND']));
    await vault.close();
  });

  it('is named without credentials', async () => {
    const vault = await open(gcsSettings(server, 'bucket', { prefix: 'a/b' }));
    expect(vault.location).toBe(`gcs ${server.url}/bucket/a/b`);
    await vault.close();
  });

  it('is unavailable when nobody listens', async () => {
    const vault = await open(gcsSettings({ url: 'http://127.0.0.1:1' }, 'bucket'));
    expect(new Set(await codesOf(allCalls(vault)))).toEqual(new Set(['LB_VAULT_UNAVAILABLE']));
    await vault.close();
  });

  it('shows the first of the versions it keeps, and frees all when an object is deleted', async () => {
    const bucket = await server.createBucket({ versions: true });
    const vault = await open(gcsSettings(server, bucket));
    for (const key of ['a', 'b/c', 'd']) await vault.put(key, Buffer.from('genuine'));
    for (const key of ['a', 'b%2Fc']) {
      const url = `${server.url}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${key}`;
      const answer = await fetch(url, { method: 'POST', body: 'a shadow, longer' });
      expect(answer.ok).toBe(true);
    }
    await fetch(`${server.url}/storage/v1/b/${bucket}/o/d`, { method: 'DELETE' });
    expect(await keysOf(vault)).toEqual(['a', 'b/c']);
    expect(Buffer.from(await read(await vault.get('a'))).toString()).toBe('a shadow, longer');
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual(['a', 'b/c', 'd'].map((key) => ({ key, size: 7, shadowed: true })));
    for (const key of ['a', 'b/c', 'd']) {
      expect(Buffer.from(await read(await vault.get(key, { original: true }))).toString()).toBe('genuine');
      expect(Buffer.from(await read(await vault.get(key, { original: true, offset: -3, length: 2 }))).toString()).toBe('in');
      expect(await vault.head(key, { original: true })).toEqual({ key, size: 7, shadowed: true });
      expect(await vault.uncover(key)).toBe(key === 'd' ? 0 : 1);
      // Nothing that is older comes back by itself here: it is put back, and then is nothing's shadow.
      expect(await vault.head(key)).toBeUndefined();
      expect(await vault.put(key, Buffer.from('genuine'))).toBe('created');
      expect(await vault.head(key, { original: true })).toEqual({ key, size: 7 });
      await vault.delete(key);
    }
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([]);
    await vault.close();
  });
});

describe('credentials for Google Cloud', () => {
  let folder: string;
  let google: HttpDouble;
  /** What the double of Google's token service answers. */
  let token: { readonly status: number; readonly body: string };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-gcs-'));
    await writeFile(join(folder, 'pod-token'), 'the token of a pod');
    const issued = { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: 3600 };
    token = { status: 200, body: JSON.stringify({ ...issued, access_token: 'ya29.hush' }) };
    google = await startHttpDouble(({ url }) => {
      const headers = { 'content-type': 'application/json' };
      return url.pathname === '/token' ? { ...token, headers } : { status: 200, headers, body: JSON.stringify({ items: [] }) };
    });
  });
  afterEach(async () => {
    await google[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  /** Workload identity federation: of Google's kinds of credentials the one that says itself where tokens are got. */
  const federated = () => ({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${google.url}/token`,
    credential_source: { file: join(folder, 'pod-token') },
  });
  const keyFile = async (content: object): Promise<string> => {
    const path = join(folder, 'key.json');
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  /** What the vault sent as its authorization, once it has listed. */
  const sent = async (settings: Partial<GcsVaultConfig>, env: Record<string, string> = {}): Promise<unknown[]> => {
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      const vault = await open(gcsSettings(google, 'bucket', settings));
      expect(await keysOf(vault)).toEqual([]);
      await vault.close();
    } finally {
      process.env = before;
    }
    return google.requests.filter(({ url }) => url.pathname !== '/token').map(({ headers }) => headers.authorization);
  };

  it('are exchanged for a token, which is sent with every request', async () => {
    const path = await keyFile(federated());
    expect(await sent({ credentials: { keyFile: path } })).toEqual(['Bearer ya29.hush']);
    const exchange = google.requests.find(({ url }) => url.pathname === '/token');
    expect(exchange?.body.toString()).toContain('the%20token%20of%20a%20pod');
  });

  it('may be in an environment variable', async () => {
    const env = { TEST_GCS_KEY: JSON.stringify(federated()) };
    expect(await sent({ credentials: { keyEnv: 'TEST_GCS_KEY' } }, env)).toEqual(['Bearer ya29.hush']);
  });

  it("that the machine has are not sent to an address that is not Google's", async () => {
    const path = await keyFile(federated());
    expect(await sent({}, { GOOGLE_APPLICATION_CREDENTIALS: path })).toEqual([undefined]);
    expect(google.requests.some(({ url }) => url.pathname === '/token')).toBe(false);
  });

  it('that Google does not know are refused, and no error text shows them', async () => {
    token = { status: 400, body: JSON.stringify({ error: 'invalid_grant', error_description: 'The token of a pod is not valid: the token of a pod' }) };
    const vault = await open(gcsSettings(google, 'bucket', { credentials: { keyFile: await keyFile(federated()) } }));
    for (const error of await Promise.all(allCalls(vault).map(failure))) {
      expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
      expect(everythingIn(error)).not.toMatch(/subject_token/);
    }
    await vault.close();
  });

  it('that cannot be checked because nobody answers may be in order', async () => {
    const account = { ...federated(), token_url: 'http://127.0.0.1:1/token' };
    const vault = await open(gcsSettings(google, 'bucket', { credentials: { keyFile: await keyFile(account) } }));
    expect(codeOf(await failure(keysOf(vault)))).toBe('LB_VAULT_UNAVAILABLE');
    await vault.close();
  });

  it.each<[string, GcsVaultConfig['credentials']]>([
    ['a variable that is not set', { keyEnv: 'NO_SUCH_VARIABLE' }],
    ['a file that is not there', { keyFile: '/no/such/key.json' }],
    ['a file that is something else', { keyFile: '/dev/null' }],
  ])('must be there: %s', async (_, credentials) => {
    const error = await failure(open(gcsSettings(google, 'bucket', { credentials })));
    expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
  });

  it('are not shown when the bucket refuses them', async () => {
    await using refusing = await startHttpDouble(({ headers }) => ({
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: { message: `denied to ${headers.authorization ?? ''}`, errors: [{ reason: 'forbidden' }] } }),
    }));
    const vault = await open(gcsSettings(refusing, 'bucket', { credentials: { keyFile: await keyFile(federated()) } }));
    for (const error of await Promise.all(allCalls(vault).map(failure))) {
      expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
      expect(everythingIn(error)).not.toContain('hush');
      expect(error).toHaveProperty('hint', expect.stringContaining('storage.objects.'));
    }
    await vault.close();
  });
});
