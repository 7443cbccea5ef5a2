import { afterEach, describe, expect, it } from 'vitest';
import { openAzureVault } from '../../src/vault/azure.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startAzurite } from '../testbed/azure/azurite.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { DoubleAnswer, HttpDouble, RecordedRequest } from '../testbed/http-double.ts';
import { azureSettings } from './azure-settings.ts';
import { codeOf, failure, inParts, keysOf, read, someBytes } from './bytes.ts';
import { fromNow } from './short-lock.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
const refusal = (status: number, code: string): DoubleAnswer => ({
  status,
  headers: { 'x-ms-error-code': code, 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
});
const created: DoubleAnswer = { status: 201, headers: { etag: '"1"', 'last-modified': new Date(0).toUTCString() } };

/** What a double of Azure holds of the object `a`, oldest first. */
interface Version {
  readonly id: string;
  readonly current?: boolean;
  readonly until?: Date;
  readonly mode?: string;
  /** Base64. */
  readonly md5?: string;
}

function listing(versions: readonly Version[]): DoubleAnswer {
  const blobs = versions.map(
    ({ id, current, until, mode = 'locked', md5 }) =>
      `<Blob><Name>a</Name><VersionId>${id}</VersionId>${current === true ? '<IsCurrentVersion>true</IsCurrentVersion>' : ''}<Properties>` +
      `<Last-Modified>${new Date(0).toUTCString()}</Last-Modified><Etag>1</Etag><Content-Length>7</Content-Length>` +
      (until === undefined ? '' : `<ImmutabilityPolicyUntilDate>${until.toUTCString()}</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>${mode}</ImmutabilityPolicyMode>`) +
      `${md5 === undefined ? '' : `<Content-MD5>${md5}</Content-MD5>`}</Properties></Blob>`,
  );
  const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="x" ContainerName="c"><Blobs>${blobs.join('')}</Blobs><NextMarker/></EnumerationResults>`;
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

const V1 = '2026-01-01T00:00:00.0000000Z';
const V2 = '2026-01-02T00:00:00.0000000Z';
const V3 = '2026-01-03T00:00:00.0000000Z';

// Azurite does not keep locks or versions, so this shows what is asked of Azure, and what is made of its answers.
describe('locking objects in Azure Blob Storage', () => {
  const doubles: HttpDouble[] = [];
  const vaults: Vault[] = [];
  afterEach(async () => {
    await Promise.all(vaults.splice(0).map((vault) => vault.close()));
    await Promise.all(doubles.splice(0).map((double) => double[Symbol.asyncDispose]()));
  });

  const open = async (double: HttpDouble, lockMode?: 'compliance' | 'governance'): Promise<Vault> => {
    const account = { endpoint: `${double.url}/account1`, account: 'account1', accountKey: Buffer.alloc(64).toString('base64') };
    const more = { lock: true, ...(lockMode === undefined ? {} : { lockMode }) };
    const vault = await openAzureVault({ ...azureSettings(account, 'container', more), name: 'locked' });
    vaults.push(vault);
    return vault;
  };
  const startWith = async (versions: readonly Version[], otherwise: (request: RecordedRequest) => DoubleAnswer = () => created) => {
    const double = await startHttpDouble((request) =>
      request.url.searchParams.get('comp') === 'list' ? listing(versions) : otherwise(request),
    );
    doubles.push(double);
    return double;
  };
  const changes = (double: HttpDouble): RecordedRequest[] => double.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  const policyOf = ({ headers }: RecordedRequest): unknown[] => [
    headers['x-ms-immutability-policy-mode'],
    Date.parse(String(headers['x-ms-immutability-policy-until-date'])),
  ];

  it.each([
    ['Locked', undefined],
    ['Unlocked', 'governance'],
  ] as const)('asks for a lock (%s) in the request that creates the object', async (mode, lockMode) => {
    const double = await startWith([]);
    const vault = await open(double, lockMode);
    expect(vault.locks).toBe(true);
    const until = fromNow(HOUR);
    expect(await vault.put('a', Buffer.from('genuine'), { retainUntil: new Date(until.getTime() - 300) })).toBe('created');
    await vault.put('b', Buffer.from('genuine'), { retainUntil: new Date(0) });
    const [first, second] = changes(double);
    expect(first && policyOf(first)).toEqual([mode, until.getTime()]);
    expect(first?.headers['if-none-match']).toBe('*');
    expect(second?.headers).not.toHaveProperty('x-ms-immutability-policy-mode');
  });

  it('asks for it when it puts the blocks of a large object together', async () => {
    const double = await startWith([], ({ method }) => (method === 'HEAD' ? refusal(404, 'BlobNotFound') : created));
    const until = fromNow(HOUR);
    expect(await (await open(double)).put('a', inParts(someBytes(33 * MIB), MIB), { retainUntil: until })).toBe('created');
    const commit = changes(double).at(-1);
    expect(commit?.url.searchParams.get('comp')).toBe('blocklist');
    expect(commit && policyOf(commit)).toEqual(['Locked', until.getTime()]);
    expect(commit?.headers['if-none-match']).toBe('*');
  });

  it('makes the lock of the first version longer, never shorter', async () => {
    const [hour, day] = [fromNow(HOUR), fromNow(24 * HOUR)];
    const double = await startWith([{ id: V1, until: hour }, { id: V2, current: true, until: fromNow(99 * HOUR) }], () => ({ status: 200 }));
    const vault = await open(double, 'governance');
    for (const sooner of [hour, fromNow(60_000), new Date(0)]) await vault.retain('a', sooner);
    expect(changes(double)).toEqual([]);
    await vault.retain('a', day);
    const [change] = changes(double);
    expect(change?.url.searchParams.get('comp')).toBe('immutabilityPolicies');
    expect(change?.url.searchParams.get('versionid')).toBe(V1);
    // A lock that nobody can end stays one.
    expect(change && policyOf(change)).toEqual(['Locked', day.getTime()]);
  });

  it('says until when an object is locked', async () => {
    const hour = fromNow(HOUR);
    const double = await startWith([{ id: V1, until: hour }, { id: V2, current: true }], ({ url }) => ({
      status: 200,
      headers: {
        etag: '"1"',
        'content-length': '7',
        ...(url.searchParams.get('versionid') === V1 ? { 'x-ms-immutability-policy-until-date': hour.toUTCString(), 'x-ms-immutability-policy-mode': 'locked' } : {}),
      },
    }));
    const vault = await open(double);
    expect(await vault.head('a', { original: true })).toEqual({ key: 'a', size: 7, retainUntil: hour, shadowed: true });
    expect(await vault.head('a')).toEqual({ key: 'a', size: 7 });
  });

  it('reads and lists first versions, also of what is hidden', async () => {
    const double = await startWith([{ id: V2, current: true }, { id: V1 }], ({ url }) => ({
      status: 200,
      headers: { etag: '"1"', 'content-length': '7' },
      body: url.searchParams.get('versionid') === V1 ? 'genuine' : 'shadow!',
    }));
    const vault = await open(double);
    expect(Buffer.from(await read(await vault.get('a', { original: true }))).toString()).toBe('genuine');
    expect(Buffer.from(await read(await vault.get('a'))).toString()).toBe('shadow!');
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([{ key: 'a', size: 7, shadowed: true }]);
  });

  it('takes away what was put over the first version, newest first, and never that itself', async () => {
    const double = await startWith([{ id: V1, until: fromNow(HOUR) }, { id: V2 }, { id: V3, current: true }], () => ({ status: 202 }));
    expect(await (await open(double)).uncover('a')).toBe(2);
    expect(changes(double).map(({ method, url }) => [method, url.searchParams.get('versionid')])).toEqual([
      ['DELETE', null],
      ['DELETE', V3],
      ['DELETE', V2],
    ]);
  });

  it('leaves a first version alone that is current, or was put back as a later one with the same bytes', async () => {
    const md5 = Buffer.alloc(16, 7).toString('base64');
    for (const versions of [[{ id: V1, current: true }], [{ id: V1, md5 }, { id: V2, current: true, md5 }]]) {
      const double = await startWith(versions);
      const vault = await open(double);
      expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([{ key: 'a', size: 7 }]);
      expect(await vault.uncover('a')).toBe(0);
      expect(changes(double)).toEqual([]);
    }
  });

  it('says when what was put over an object is itself locked, and takes away the rest', async () => {
    const double = await startWith([{ id: V1 }, { id: V2, until: fromNow(HOUR) }, { id: V3 }], () => ({ status: 202 }));
    expect(codeOf(await failure((await open(double)).uncover('a')))).toBe('LB_VAULT_LOCKED');
    expect(changes(double).map(({ url }) => url.searchParams.get('versionid'))).toEqual([V3]);
  });

  it('finds that an object cannot be deleted, and changes nothing', async () => {
    const hour = fromNow(HOUR);
    const double = await startWith([{ id: V1, until: hour }, { id: V2, current: true }]);
    const error = await failure((await open(double)).delete('a'));
    expect(codeOf(error)).toBe('LB_VAULT_LOCKED');
    expect(String(error)).toContain(hour.toISOString());
    expect(changes(double)).toEqual([]);
    const unknown = await startWith([{ id: V1 }], () => refusal(409, 'BlobImmutableDueToPolicy'));
    expect(codeOf(await failure((await open(unknown)).delete('a')))).toBe('LB_VAULT_LOCKED');
  });

  it('deletes every version of an object, what is current without its name first', async () => {
    const double = await startWith([{ id: V1, until: new Date(0) }, { id: V2, current: true }], () => ({ status: 202 }));
    await (await open(double)).delete('a');
    expect(changes(double).map(({ method, url }) => [method, url.searchParams.get('versionid')])).toEqual([
      ['DELETE', V1],
      ['DELETE', null],
      ['DELETE', V2],
    ]);
  });

  it('says when the container cannot lock', async () => {
    await using server = await startAzurite();
    const vault = await openAzureVault({ ...azureSettings(server, await server.createContainer(), { lock: true }), name: 'locked' });
    vaults.push(vault);
    // Azurite takes the request and does not lock; the doctor finds that.
    expect(await vault.put('a', Buffer.from('x'), { retainUntil: fromNow(HOUR) })).toBe('created');
    expect(await vault.put('large', inParts(someBytes(33 * MIB), MIB), { retainUntil: fromNow(HOUR) })).toBe('created');
    expect(codeOf(await failure(vault.retain('a', fromNow(HOUR))))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
    expect(await keysOf(vault)).toEqual(['a', 'large']);
  });
});
