import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openVault } from '../../src/vault/open.ts';
import { openS3Vault } from '../../src/vault/s3.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import type { S3Credentials, S3Server } from '../testbed/s3/server.ts';
import { addVersitygwUser, startVersitygw } from '../testbed/s3/versitygw.ts';
import { codeOf, codesOf, digest, failure, inParts, keysOf, read, someBytes } from './bytes.ts';
import { s3Settings } from './s3-settings.ts';
import { beforeLockEnds, fromNow } from './short-lock.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
const GENUINE = Buffer.from('genuine');

/** Somebody with credentials for the bucket and other software than lifeboat. */
class Intruder {
  readonly #bucket: string;
  readonly client: S3Client;

  constructor(endpoint: string, credentials: S3Credentials, bucket: string) {
    this.#bucket = bucket;
    this.client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
  }

  async overwrite(Key: string, Body: string, until?: Date): Promise<void> {
    const lock = until === undefined ? {} : ({ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until } as const);
    await this.client.send(new PutObjectCommand({ Bucket: this.#bucket, Key, Body, ...lock }));
  }

  async hide(Key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key }));
  }

  /** Tries everything that could take a locked version away, and gives how many of the tries the server allowed. */
  async attack(Key: string, VersionId: string): Promise<number> {
    const version = { Bucket: this.#bucket, Key, VersionId };
    const sooner = { Mode: 'COMPLIANCE', RetainUntilDate: fromNow(60_000) } as const;
    const outcomes = await Promise.allSettled([
      this.client.send(new DeleteObjectCommand(version)),
      this.client.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true })),
      this.client.send(new PutObjectRetentionCommand({ ...version, Retention: sooner })),
      this.client.send(new PutObjectRetentionCommand({ ...version, Retention: sooner, BypassGovernanceRetention: true })),
      this.client.send(new PutObjectRetentionCommand({ ...version, Retention: {}, BypassGovernanceRetention: true })),
    ]);
    return outcomes.filter(({ status }) => status === 'fulfilled').length;
  }

  /** The id of the newest version. */
  async idOf(Key: string): Promise<string> {
    const { VersionId } = await this.client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key }));
    if (VersionId === undefined) throw new Error('the server names no version');
    return VersionId;
  }
}

describe.each([
  ['SeaweedFS', startSeaweedfs],
  ['versitygw', startVersitygw],
])('a bucket of %s with object lock', (_, start) => {
  let server: S3Server;
  let bucket: string;
  let intruder: Intruder;
  let prefixes = 0;
  const opened: Vault[] = [];

  beforeAll(async () => {
    server = await start();
    bucket = await server.createBucket({ lock: true });
    intruder = new Intruder(server.endpoint, server.credentials, bucket);
  });
  afterAll(async () => {
    intruder?.client.destroy();
    await Promise.all(opened.map((vault) => vault.close()));
    await server?.stop();
  });

  /** A vault of its own in the bucket, and its prefix. */
  const open = async (): Promise<{ vault: Vault; prefix: string }> => {
    const prefix = `p${(prefixes += 1)}`;
    const vault = await openVault({ ...s3Settings(server, bucket, { prefix, lock: true }), name: 'locked' });
    opened.push(vault);
    return { vault, prefix };
  };
  const text = async (vault: Vault, key: string, options = {}): Promise<string> =>
    Buffer.from(await read(await vault.get(key, options))).toString();

  it('locks what is stored with a lock, and nothing else', async () => {
    const { vault, prefix } = await open();
    expect(vault.locks).toBe(true);
    const until = fromNow(HOUR);
    expect(await vault.put('a', GENUINE, { retainUntil: until })).toBe('created');
    expect(await vault.put('free', GENUINE)).toBe('created');
    expect(await vault.put('past', GENUINE, { retainUntil: new Date(0) })).toBe('created');
    expect(await vault.head('a')).toEqual({ key: 'a', size: 7, retainUntil: until });
    expect(await vault.head('a', { original: true })).toEqual({ key: 'a', size: 7, retainUntil: until });
    expect(await vault.head('free')).toEqual({ key: 'free', size: 7 });
    expect(await vault.put('a', GENUINE, { retainUntil: fromNow(2 * HOUR) })).toBe('exists');
    const refused = await failure(vault.delete('a'));
    expect(codeOf(refused)).toBe('LB_VAULT_LOCKED');
    expect(String(refused)).toContain(until.toISOString());
    expect(await text(vault, 'a')).toBe('genuine');
    await vault.delete('free');
    await vault.delete('past');
    expect(await keysOf(vault)).toEqual(['a']);
    expect(await intruder.attack(`${prefix}/a`, await intruder.idOf(`${prefix}/a`))).toBe(0);
    expect((await vault.head('a'))?.retainUntil).toEqual(until);
  });

  it('rounds a lock up to whole seconds', async () => {
    const { vault } = await open();
    const until = fromNow(HOUR);
    await vault.put('a', GENUINE, { retainUntil: new Date(until.getTime() - 999) });
    expect((await vault.head('a'))?.retainUntil).toEqual(until);
  });

  it('locks a large object from the moment it is there', async () => {
    const { vault } = await open();
    const until = fromNow(HOUR);
    const bytes = someBytes(33 * MIB);
    expect(await vault.put('large', inParts(bytes, MIB), { retainUntil: until })).toBe('created');
    expect(await vault.head('large')).toEqual({ key: 'large', size: bytes.length, retainUntil: until });
    expect(codeOf(await failure(vault.delete('large')))).toBe('LB_VAULT_LOCKED');
    expect(digest(await read(await vault.get('large', { original: true })))).toBe(digest(bytes));
  });

  it('makes locks longer, never shorter', async () => {
    const { vault } = await open();
    const [hour, day] = [fromNow(HOUR), fromNow(24 * HOUR)];
    await vault.put('a', GENUINE);
    await vault.retain('a', hour);
    expect((await vault.head('a'))?.retainUntil).toEqual(hour);
    await vault.retain('a', day);
    for (const sooner of [hour, fromNow(60_000), new Date(0)]) await vault.retain('a', sooner);
    expect((await vault.head('a'))?.retainUntil).toEqual(day);
    await Promise.all([3, 1, 2].map((days) => vault.retain('a', new Date(day.getTime() + days * 24 * HOUR))));
    expect((await vault.head('a'))?.retainUntil).toEqual(new Date(day.getTime() + 3 * 24 * HOUR));
    expect(codeOf(await failure(vault.retain('none', day)))).toBe('LB_VAULT_OBJECT_MISSING');
  });

  it('lets an object be deleted once its lock has ended', { timeout: 300_000 }, async () => {
    const { vault } = await open();
    const key = await beforeLockEnds(async (until) => {
      const locked = `until-${until.getTime()}`;
      await vault.put(locked, GENUINE, { retainUntil: until });
      expect(codeOf(await failure(vault.delete(locked)))).toBe('LB_VAULT_LOCKED');
      return locked;
    });
    await expect.poll(() => vault.delete(key).then(() => 'deleted', codeOf), { timeout: 120_000, interval: 250 }).toBe('deleted');
    expect(await vault.head(key, { original: true })).toBeUndefined();
  });

  it('shows the genuine object where another was put over it, or it was hidden', async () => {
    const { vault, prefix } = await open();
    const until = fromNow(HOUR);
    const keys = ['a', 'b-1', 'b/1', 'c'];
    for (const key of keys) await vault.put(key, GENUINE, { retainUntil: until });
    await intruder.overwrite(`${prefix}/a`, 'a shadow, longer');
    await intruder.overwrite(`${prefix}/a`, 'another');
    await intruder.hide(`${prefix}/b/1`);
    await intruder.overwrite(`${prefix}/b-1`, 'shadow');
    await intruder.hide(`${prefix}/b-1`);
    await intruder.overwrite(`${prefix}/forged`, 'forged');

    expect(await text(vault, 'a')).toBe('another');
    expect(await keysOf(vault)).toEqual(['a', 'c', 'forged']);
    const shown = await Array.fromAsync(vault.list('', { original: true }));
    expect(shown).toEqual([
      { key: 'a', size: 7, shadowed: true },
      { key: 'b-1', size: 7, shadowed: true },
      { key: 'b/1', size: 7, shadowed: true },
      { key: 'c', size: 7 },
      { key: 'forged', size: 6 },
    ]);
    for (const key of keys) {
      expect(await text(vault, key, { original: true })).toBe('genuine');
      expect(await text(vault, key, { original: true, offset: -4, length: 2 })).toBe('ui');
      expect(await text(vault, key, { original: true, offset: 7 })).toBe('');
      expect(await vault.head(key, { original: true })).toEqual({ key, size: 7, retainUntil: until, ...(key !== 'c' && { shadowed: true }) });
      expect(codeOf(await failure(vault.delete(key)))).toBe('LB_VAULT_LOCKED');
    }
    expect(codeOf(await failure(vault.get('none', { original: true })))).toBe('LB_VAULT_OBJECT_MISSING');
    expect(await vault.head('none', { original: true })).toBeUndefined();
  });

  it('extends the lock of the genuine object, not of what was put over it', async () => {
    const { vault, prefix } = await open();
    await vault.put('a', GENUINE, { retainUntil: fromNow(HOUR) });
    await intruder.overwrite(`${prefix}/a`, 'shadow');
    const day = fromNow(24 * HOUR);
    await vault.retain('a', day);
    expect((await vault.head('a', { original: true }))?.retainUntil).toEqual(day);
    expect((await vault.head('a'))?.retainUntil).toBeUndefined();
  });

  it('lists genuine objects page by page, however many versions were put over them', async () => {
    const { vault, prefix } = await open();
    const keys = Array.from({ length: 60 }, (_, i) => `d${i % 3}/${String(i).padStart(2, '0')}`).toSorted();
    await Promise.all(keys.map((key) => vault.put(key, GENUINE)));
    for (let round = 0; round < 18; round += 1) {
      await Promise.all(keys.map((key) => intruder.overwrite(`${prefix}/${key}`, 'shadow')));
    }
    await Promise.all(Array.from({ length: 1100 }, () => intruder.hide(`${prefix}/d1/31`)));
    const shown = await Array.fromAsync(vault.list('', { original: true }));
    expect(shown).toEqual(keys.map((key) => ({ key, size: 7, shadowed: true })));
    expect(await keysOf(vault)).toEqual(keys.filter((key) => key !== 'd1/31'));
    expect(await text(vault, 'd1/31', { original: true })).toBe('genuine');
    expect((await Array.fromAsync(vault.list('d2/', { original: true, startAfter: 'd2/20' }))).map(({ key }) => key)).toEqual(
      keys.filter((key) => key > 'd2/20'),
    );
  });

  it('takes away what was put over the genuine object, and never that itself', async () => {
    const { vault, prefix } = await open();
    const until = fromNow(HOUR);
    await vault.put('a', GENUINE, { retainUntil: until });
    await vault.put('free', GENUINE);
    for (const key of ['a', 'free']) {
      await intruder.overwrite(`${prefix}/${key}`, 'a shadow');
      await intruder.hide(`${prefix}/${key}`);
      await intruder.overwrite(`${prefix}/${key}`, 'another');
      await intruder.hide(`${prefix}/${key}`);
    }
    expect(await keysOf(vault)).toEqual([]);
    for (const key of ['a', 'free']) {
      expect(await vault.uncover(key)).toBe(4);
      expect(await text(vault, key)).toBe('genuine');
      expect(await vault.uncover(key)).toBe(0);
    }
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([{ key: 'a', size: 7 }, { key: 'free', size: 7 }]);
    expect((await vault.head('a'))?.retainUntil).toEqual(until);
    expect(await vault.uncover('none')).toBe(0);
  });

  it('says when what was put over an object is itself locked, and takes away the rest', async () => {
    const { vault, prefix } = await open();
    await vault.put('a', GENUINE, { retainUntil: fromNow(HOUR) });
    await intruder.overwrite(`${prefix}/a`, 'a shadow', fromNow(HOUR));
    await intruder.hide(`${prefix}/a`);
    expect(codeOf(await failure(vault.uncover('a')))).toBe('LB_VAULT_LOCKED');
    expect(await text(vault, 'a')).toBe('a shadow');
    expect(await text(vault, 'a', { original: true })).toBe('genuine');
  });

  it('lets exactly one of 20 concurrent creators of a locked object win', async () => {
    const { vault } = await open();
    const bodies = Array.from({ length: 20 }, (_, i) => someBytes(20_000, i + 1));
    const outcomes = await Promise.all(bodies.map((body) => vault.put('race', body, { retainUntil: fromNow(HOUR) })));
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    const winner = bodies[outcomes.indexOf('created')] ?? new Uint8Array();
    expect(digest(await read(await vault.get('race')))).toBe(digest(winner));
    expect(digest(await read(await vault.get('race', { original: true })))).toBe(digest(winner));
  });

  it('deletes every version of an object that is not locked', async () => {
    const { vault, prefix } = await open();
    await vault.put('a', GENUINE);
    await intruder.overwrite(`${prefix}/a`, 'shadow');
    await intruder.hide(`${prefix}/a`);
    await vault.delete('a');
    await vault.delete('a');
    await vault.delete('never/was');
    expect(await vault.head('a', { original: true })).toBeUndefined();
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([]);
    expect(await vault.put('a', GENUINE)).toBe('created');
  });
});

describe.each<[string, () => Promise<S3Server>, string[]]>([
  ['SeaweedFS', startSeaweedfs, []],
  // It stores, then fails to lock, and says so.
  ['versitygw', startVersitygw, ['a']],
])('a bucket of %s without object lock', (_, start, stays) => {
  let server: S3Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server?.stop();
  });

  it('says that it cannot lock', async () => {
    const bucket = await server.createBucket();
    const vault = await openS3Vault({ ...s3Settings(server, bucket, { lock: true }), name: 'remote' });
    const retainUntil = fromNow(HOUR);
    const calls = [vault.put('a', GENUINE, { retainUntil }), vault.put('b', someBytes(33 * MIB), { retainUntil })];
    expect(await codesOf(calls)).toEqual(['LB_VAULT_LOCK_UNSUPPORTED', 'LB_VAULT_LOCK_UNSUPPORTED']);
    expect(await keysOf(vault)).toEqual(stays);
    await vault.put('c', GENUINE);
    expect(codeOf(await failure(vault.retain('c', retainUntil)))).toBe('LB_VAULT_LOCK_UNSUPPORTED');
    await vault.close();
  });

  it('that keeps versions shows the first one, and frees all when an object is deleted', async () => {
    const bucket = await server.createBucket({ versions: true });
    const vault = await openS3Vault({ ...s3Settings(server, bucket), name: 'remote' });
    const intruder = new Intruder(server.endpoint, server.credentials, bucket);
    await vault.put('a', GENUINE);
    await intruder.overwrite('a', 'shadow');
    expect(Buffer.from(await read(await vault.get('a', { original: true }))).toString()).toBe('genuine');
    await vault.delete('a');
    expect(await Array.fromAsync(vault.list('', { original: true }))).toEqual([]);
    await vault.close();
    intruder.client.destroy();
  });
});

describe("a thief with an append-only writer's credentials", () => {
  it('cannot take a locked object away, nor shorten its lock, nor put another in its place', async () => {
    await using server = await startVersitygw();
    const bucket = await server.createBucket({ lock: true });
    const credentials = await addVersitygwUser(server, bucket, [
      's3:PutObject',
      's3:PutObjectRetention',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:GetObjectRetention',
      's3:ListBucket',
      's3:ListBucketVersions',
    ]);
    const writer = await openVault({ ...s3Settings({ endpoint: server.endpoint, credentials }, bucket, { lock: true }), name: 'w' });
    const until = fromNow(HOUR);
    await writer.put('points/a', GENUINE, { retainUntil: until });
    const owner = await openVault({ ...s3Settings(server, bucket, { lock: true }), name: 'o' });
    const admin = new Intruder(server.endpoint, server.credentials, bucket);
    const id = await admin.idOf('points/a');

    const thief = new Intruder(server.endpoint, credentials, bucket);
    expect(await thief.attack('points/a', id)).toBe(0);
    await failure(thief.hide('points/a'));
    // Possible, and of no use: readers look at the first version.
    await thief.overwrite('points/a', 'shadow');
    expect(codeOf(await failure(writer.delete('points/a')))).toBe('LB_VAULT_LOCKED');
    for (const vault of [writer, owner]) {
      expect(Buffer.from(await read(await vault.get('points/a', { original: true }))).toString()).toBe('genuine');
      expect(await vault.head('points/a', { original: true })).toEqual({ key: 'points/a', size: 7, retainUntil: until, shadowed: true });
      await vault.close();
    }
    for (const { client } of [admin, thief]) client.destroy();
  });
});
