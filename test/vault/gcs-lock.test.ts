import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openGcsVault } from '../../src/vault/gcs.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import type { GcsServer } from '../testbed/gcs/fake-gcs-server.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { DoubleAnswer, HttpDouble, RecordedRequest } from '../testbed/http-double.ts';
import { codeOf, failure, inParts, someBytes } from './bytes.ts';
import { gcsSettings } from './gcs-settings.ts';
import { fromNow } from './short-lock.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
const json = (value: unknown, status = 200, headers = {}): DoubleAnswer => ({ status, headers, body: JSON.stringify(value) });
const refusal = (status: number, reason: string, message = ''): DoubleAnswer => json({ error: { message, errors: [{ reason }] } }, status);

/** What a double of Google Cloud Storage holds of one object, oldest first. */
interface Version {
  readonly generation: string;
  readonly retention?: { readonly mode: string; readonly retainUntilTime: string };
  /** Set of versions that are not current. */
  readonly timeDeleted?: string;
  readonly md5Hash?: string;
}

// No server that can be had here keeps locks, so this shows what is asked of Google, and what is made of its answers.
describe('locking objects in Google Cloud Storage', () => {
  const doubles: HttpDouble[] = [];
  const vaults: Vault[] = [];
  afterEach(async () => {
    await Promise.all(vaults.splice(0).map((vault) => vault.close()));
    await Promise.all(doubles.splice(0).map((double) => double[Symbol.asyncDispose]()));
  });

  const open = async (double: HttpDouble, lockMode?: 'compliance' | 'governance'): Promise<Vault> => {
    const more = { lock: true, ...(lockMode === undefined ? {} : { lockMode }) };
    const vault = await openGcsVault({ ...gcsSettings(double, 'bucket', more), name: 'locked' });
    vaults.push(vault);
    return vault;
  };
  /** A double that has these versions of `a`, and does what `otherwise` says with whatever else is asked. */
  const startWith = async (versions: readonly Version[], otherwise: (request: RecordedRequest) => DoubleAnswer = () => json({ name: 'a' })) => {
    const items = versions.map((version) => ({ name: 'a', size: '7', ...version }));
    const double = await startHttpDouble((request) => {
      if (request.method === 'GET' && request.url.searchParams.has('maxResults')) return json({ items });
      if (request.method === 'GET' && request.url.pathname.endsWith('/o/a')) return json(items.at(-1) ?? {});
      return otherwise(request);
    });
    doubles.push(double);
    return double;
  };
  const locked = (until: Date, mode = 'Locked') => ({ mode, retainUntilTime: until.toISOString() });
  /** What was sent in the part of a multipart body that describes the object, or in a body that is nothing else. */
  const described = ({ body }: RecordedRequest): unknown => JSON.parse(/\{.*\}/.exec(body.toString('latin1'))?.[0] ?? 'null');
  const changes = (double: HttpDouble): RecordedRequest[] => double.requests.filter(({ method }) => method !== 'GET');

  it.each([
    ['Locked', undefined],
    ['Unlocked', 'governance'],
  ] as const)('asks for a lock (%s) in the request that creates the object', async (mode, lockMode) => {
    const double = await startWith([], () => json({ name: 'a', size: '7', generation: '1' }));
    const vault = await open(double, lockMode);
    expect(vault.locks).toBe(true);
    const until = fromNow(HOUR);
    expect(await vault.put('a', Buffer.from('genuine'), { retainUntil: new Date(until.getTime() - 300) })).toBe('created');
    await vault.put('b', Buffer.from('genuine'), { retainUntil: new Date(0) });
    const [first, second] = changes(double);
    expect(first?.url.searchParams.get('ifGenerationMatch')).toBe('0');
    expect(first && described(first)).toMatchObject({ name: 'a', retention: { mode, retainUntilTime: until.toISOString() } });
    expect(second && described(second)).not.toHaveProperty('retention');
  });

  it('asks for it when it begins a large upload', async () => {
    const bytes = someBytes(33 * MIB);
    const double = await startWith([], ({ method, url, headers }) => {
      if (method === 'POST') return json({}, 200, { location: `${double.url}/session?upload_id=1` });
      if (method === 'GET') return url.pathname.includes('/o/') ? refusal(404, 'notFound', 'No such object') : json({ name: 'bucket' });
      const end = Number(/-([0-9]+)\//.exec(headers['content-range'] ?? '')?.[1]);
      if (end + 1 < bytes.length) return { status: 308, headers: { range: `bytes=0-${end}` } };
      return json({ name: 'large', size: String(bytes.length), generation: '1' });
    });
    const until = fromNow(HOUR);
    expect(await (await open(double)).put('large', inParts(bytes, MIB), { retainUntil: until })).toBe('created');
    const [begin] = changes(double);
    expect(begin?.url.searchParams.get('uploadType')).toBe('resumable');
    expect(begin && described(begin)).toMatchObject({ name: 'large', retention: { mode: 'Locked', retainUntilTime: until.toISOString() } });
  });

  it('makes the lock of the first version longer, never shorter', async () => {
    const [hour, day] = [fromNow(HOUR), fromNow(24 * HOUR)];
    const double = await startWith([{ generation: '100', retention: locked(hour) }, { generation: '200', retention: locked(fromNow(99 * HOUR)) }]);
    const vault = await open(double, 'governance');
    for (const sooner of [hour, fromNow(60_000), new Date(0)]) await vault.retain('a', sooner);
    expect(changes(double)).toEqual([]);
    await vault.retain('a', day);
    const [change] = changes(double);
    expect([change?.method, change?.url.pathname, change?.url.searchParams.get('generation')]).toEqual(['PATCH', '/storage/v1/b/bucket/o/a', '100']);
    // A lock that nobody can end stays one.
    expect(change && described(change)).toEqual({ retention: locked(day) });
  });

  it('is content when somebody else made the lock longer meanwhile', async () => {
    const day = fromNow(24 * HOUR);
    const versions: Version[] = [{ generation: '100', retention: locked(fromNow(HOUR)) }];
    const double = await startHttpDouble(({ method }) => {
      if (method === 'GET') return json({ items: versions.map((version) => ({ name: 'a', size: '7', ...version })) });
      versions[0] = { generation: '100', retention: locked(fromNow(48 * HOUR)) };
      return refusal(403, 'forbidden', 'retention cannot be reduced');
    });
    doubles.push(double);
    await (await open(double)).retain('a', day);
    expect(changes(double)).toHaveLength(1);
  });

  it('says until when an object is locked', async () => {
    const hour = fromNow(HOUR);
    const vault = await open(await startWith([{ generation: '1', retention: locked(hour) }, { generation: '2' }]));
    expect(await vault.head('a', { original: true })).toEqual({ key: 'a', size: 7, retainUntil: hour, shadowed: true });
    expect(await vault.head('a')).toEqual({ key: 'a', size: 7 });
  });

  it('finds that an object cannot be deleted, and changes nothing', async () => {
    const hour = fromNow(HOUR);
    const double = await startWith([{ generation: '1', retention: locked(hour) }, { generation: '2' }], () => refusal(403, 'retentionPolicyNotMet'));
    const error = await failure((await open(double)).delete('a'));
    expect(codeOf(error)).toBe('LB_VAULT_LOCKED');
    expect(String(error)).toContain(hour.toISOString());
    expect(changes(double).map(({ url }) => url.searchParams.get('generation'))).toEqual(['1']);
  });

  it('deletes every version of an object that is not locked any more', async () => {
    const double = await startWith([{ generation: '1', retention: locked(new Date(0)) }, { generation: '2' }], () => json({}, 204));
    await (await open(double)).delete('a');
    expect(changes(double).map(({ method, url }) => [method, url.searchParams.get('generation')])).toEqual([['DELETE', '1'], ['DELETE', '2']]);
  });

  it('takes away what was put over the first version, newest first, and never that itself', async () => {
    const gone = { timeDeleted: new Date(0).toISOString() };
    const hour = fromNow(HOUR);
    const double = await startWith([{ generation: '1', ...gone, retention: locked(hour) }, { generation: '2', ...gone }, { generation: '3' }], () => json({}, 204));
    const vault = await open(double);
    expect(await vault.head('a', { original: true })).toEqual({ key: 'a', size: 7, retainUntil: hour, shadowed: true });
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([{ key: 'a', size: 7, shadowed: true }]);
    expect(await vault.uncover('a')).toBe(2);
    expect(changes(double).map(({ method, url }) => [method, url.searchParams.get('generation')])).toEqual([['DELETE', '3'], ['DELETE', '2']]);
  });

  it('leaves a first version alone that is current, or was put back as a later one with the same bytes', async () => {
    const double = await startWith([{ generation: '1', timeDeleted: new Date(0).toISOString(), md5Hash: 'same' }, { generation: '2', md5Hash: 'same' }]);
    const vault = await open(double);
    expect(await vault.head('a', { original: true })).toEqual({ key: 'a', size: 7 });
    expect(await vault.uncover('a')).toBe(0);
    expect(changes(double)).toEqual([]);
  });

  it('says when what was put over an object is itself locked, and takes away the rest', async () => {
    const gone = { timeDeleted: new Date(0).toISOString() };
    const double = await startWith([{ generation: '1', ...gone }, { generation: '2', ...gone, retention: locked(fromNow(HOUR)) }, { generation: '3' }], ({ url }) =>
      url.searchParams.get('generation') === '2' ? refusal(403, 'retentionPolicyNotMet') : json({}, 204),
    );
    expect(codeOf(await failure((await open(double)).uncover('a')))).toBe('LB_VAULT_LOCKED');
    expect(changes(double).map(({ url }) => url.searchParams.get('generation'))).toEqual(['3', '2']);
  });

  it('says when the bucket cannot lock', async () => {
    const double = await startWith([{ generation: '1' }], () => refusal(400, 'invalid', 'Object retention is not enabled for the bucket.'));
    const vault = await open(double);
    expect(codeOf(await failure(vault.put('a', Buffer.from('x'), { retainUntil: fromNow(HOUR) })))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
    expect(codeOf(await failure(vault.retain('a', fromNow(HOUR))))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
    expect(codeOf(await failure(vault.retain('a', fromNow(HOUR))))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
  });

  describe('with a server of the protocol, which keeps locks', () => {
    let server: GcsServer;
    beforeAll(async () => {
      server = await startFakeGcs('memory');
    });
    afterAll(async () => {
      await server?.stop();
    });
    const openOn = async (lockMode: 'compliance' | 'governance'): Promise<Vault> => {
      const settings = gcsSettings(server, await server.createBucket(), { lock: true, lockMode });
      const vault = await openGcsVault({ ...settings, name: 'locked' });
      vaults.push(vault);
      return vault;
    };

    it('locks small and large objects, and makes locks longer', async () => {
      const vault = await openOn('governance');
      const [hour, day] = [fromNow(HOUR), fromNow(24 * HOUR)];
      expect(await vault.put('small', someBytes(100), { retainUntil: hour })).toBe('created');
      expect(await vault.put('large', inParts(someBytes(33 * MIB), MIB), { retainUntil: hour })).toBe('created');
      expect(await vault.head('small')).toEqual({ key: 'small', size: 100, retainUntil: hour });
      expect((await vault.head('large'))?.retainUntil).toEqual(hour);
      for (const until of [fromNow(60_000), day, hour]) await vault.retain('small', until);
      expect((await vault.head('small', { original: true }))?.retainUntil).toEqual(day);
    });

    it('is told when a lock cannot be made longer, which the server refuses of locks that nobody can end, unlike Google', async () => {
      const vault = await openOn('compliance');
      const hour = fromNow(HOUR);
      await vault.put('a', someBytes(100), { retainUntil: hour });
      expect(codeOf(await failure(vault.retain('a', fromNow(24 * HOUR))))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
      expect((await vault.head('a'))?.retainUntil).toEqual(hour);
    });
  });
});
