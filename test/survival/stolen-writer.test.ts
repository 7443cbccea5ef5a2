import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { formatWriteKey, generateRepositoryKeys, maintainKeyOf, parseMaintainKey, parseReadKey, readKeyOf, sealSlot, Secret, writeKeyOf } from '../../src/keys/index.ts';
import type { ReadKey, RepositoryKeys } from '../../src/keys/index.ts';
import { createOpener } from '../../src/keys/sealing.ts';
import { createChunkNamer } from '../../src/repository/chunk-id.ts';
import { decodeIndexObject, encodeIndexObject } from '../../src/repository/index-object.ts';
import type { PackIndex } from '../../src/repository/index-object.ts';
import { createRepository, lastVerified, openReader, openWriter, sweep, unlock, unlockAs, verify } from '../../src/repository/index.ts';
import { compactTime, indexKey } from '../../src/repository/layout.ts';
import { decodePackHeader } from '../../src/repository/pack-format.ts';
import { encodePackTable } from '../../src/repository/pack-table.ts';
import { decodePoint, encodePoint, openManifest } from '../../src/repository/point.ts';
import { encodePointTombstone, pointTombstoneKey } from '../../src/repository/removal/tombstone.ts';
import { encodeTombstone } from '../../src/repository/slot-objects.ts';
import { sha256Hex } from '../../src/repository/bytes.ts';
import { Coverage } from '../../src/repository/verify/coverage.ts';
import { storeReport } from '../../src/repository/verify/reports.ts';
import { withLock } from '../../src/vault/locking.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { backUp, expectSame, PASSPHRASE, readBack, WORK_FACTOR } from '../repository/scene.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import type { VaultRole } from '../vault/policies.ts';
import { bucketForRoles, credentialsOf, ROLE_SERVERS } from '../vault/role-servers.ts';
import type { RoleServer } from '../vault/role-servers.ts';
import { s3Settings } from '../vault/s3-settings.ts';
import { Thief } from './thief.ts';

const HOUR = 3_600_000;
const SECRET = 'the-database-password-is-swordfish';
const STREAMS = { secrets: [SECRET, SECRET.repeat(100)] };

/** A vault on a real server with object lock, users for each role that may do what infra/vaults says, and the writer's machine. */
class Place {
  readonly keys: RepositoryKeys;
  readonly folder: string;
  /** The vault as each role's credentials open it. */
  readonly vaults: Readonly<Record<VaultRole, Vault>>;
  readonly thief: Thief;

  private constructor(keys: RepositoryKeys, folder: string, vaults: Place['vaults'], thief: Thief) {
    this.keys = keys;
    this.folder = folder;
    this.vaults = vaults;
    this.thief = thief;
  }

  static async make(roles: RoleServer): Promise<Place> {
    const { server } = roles;
    const bucket = await bucketForRoles(roles, 'team');
    const open = (role: VaultRole): Promise<Vault> =>
      openVault({ ...s3Settings({ endpoint: server.endpoint, credentials: credentialsOf(roles, role) }, bucket, { prefix: 'team', lock: true }), name: 'locked' });
    const vaults = { writer: await open('writer'), reader: await open('reader'), maintainer: await open('maintainer') };
    const keys = await generateRepositoryKeys();
    const owner = await openVault({ ...s3Settings(server, bucket, { prefix: 'team', lock: true }), name: 'locked' });
    const slot = await sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR });
    await createRepository({ vaults: [withLock(owner, HOUR)], keys, slots: [slot] });
    await owner.close();

    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-writer-'));
    const stolen = credentialsOf(roles, 'writer');
    process.env['TEST_WRITER_ID'] = stolen.accessKeyId;
    process.env['TEST_WRITER_SECRET'] = stolen.secretAccessKey;
    await writeFile(join(folder, 'write.key'), `${formatWriteKey(writeKeyOf(keys))}\n`);
    await writeFile(
      join(folder, 'lifeboat.yaml'),
      [
        'version: 1\nsites:\n  prod:\n    kubeconfig: kubeconfig',
        `vaults:\n  locked:\n    type: s3\n    endpoint: ${server.endpoint}\n    region: us-east-1\n    bucket: ${bucket}\n    prefix: team\n    lock: true`,
        '    credentials:\n      accessKeyIdEnv: TEST_WRITER_ID\n      secretAccessKeyEnv: TEST_WRITER_SECRET',
        'keys:\n  write:\n    file: write.key',
        'plans:\n  prod:\n    site: prod\n    vaults: [locked]\n    lock: 1h\n',
      ].join('\n'),
    );
    return new Place(keys, folder, vaults, await Thief.of(folder));
  }

  /** An honest backup, by the machine that was not robbed yet or does not know it. */
  async backUp(streams: Parameters<typeof backUp>[1] = STREAMS, site = 'prod'): Promise<string> {
    const { header } = await backUp({ vaults: [], keys: this.keys }, streams, { vaults: [withLock(this.vaults.writer, HOUR)], site });
    return header.id;
  }

  /** What a reader, with a reader's key and credentials, gets of a point. */
  async restore(id: string, site = 'prod'): Promise<{ readonly read: Awaited<ReturnType<typeof readBack>>; readonly warnings: readonly Warning[] }> {
    const warnings: Warning[] = [];
    const reader = await openReader({ vaults: [this.vaults.reader], keys: readKeyOf(this.keys), onWarning: (warning) => warnings.push(warning) });
    return { read: await readBack(await reader.open(id, { site })), warnings };
  }

  async listed(): Promise<string[]> {
    const reader = await openReader({ vaults: [this.vaults.reader] });
    return (await reader.listPoints()).map(({ site, id }) => `${site}/${id}`);
  }

  async close(): Promise<void> {
    await this.thief.close();
    await Promise.all(Object.values(this.vaults).map((vault) => vault.close()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

describe.each(ROLE_SERVERS)('on %s', (_, start) => {
  let roles: RoleServer;
  let place: Place;
  let thief: Thief;
  let point: string;
  beforeAll(async () => {
    roles = await start();
    place = await Place.make(roles);
    thief = place.thief;
    point = await place.backUp();
  });
  afterAll(async () => {
    await place?.close();
    await roles?.server.stop();
  });

  /** The bytes of an object as they were first stored, by who may read them. */
  async function stored(key: string): Promise<Uint8Array> {
    const first = (await thief.versions()).findLast((version) => version.key === key);
    return thief.read(key, first?.id ?? '');
  }

  const allSecretsOf = (): readonly Secret[] => [thief.key.dedupKey, thief.key.indexKey, thief.key.signingKey, new Secret(thief.key.sealingPublicKey.subarray(0, 32))];

  describe('a thief with the whole configuration of the machine that makes backups', () => {
    it('finds nothing that was backed up in any object, and no private key of another role in anything', async () => {
      const { sealingKey, reportKey, maintainKey } = place.keys;
      const others = [sealingKey, reportKey, maintainKey].map((key) => Buffer.from(key.expose()));
      const texts = [...thief.files.values()];
      const keyBytes = texts.map((text) => Buffer.from(/\.([A-Za-z0-9_-]+)\./.exec(text)?.[1] ?? '', 'base64url'));
      const objects = await Promise.all((await thief.versions()).map(async ({ key, id }) => Buffer.from(await thief.read(key, id))));
      expect(objects.length).toBeGreaterThan(5);
      for (const bytes of [...objects, ...keyBytes, ...texts.map((text) => Buffer.from(text))]) {
        expect(bytes.includes('swordfish')).toBe(false);
        expect(others.map((other) => bytes.includes(other) || bytes.includes(other.toString('hex')))).toEqual([false, false, false]);
      }
    });

    it('opens no key slot, and no point or pack, with anything in it', async () => {
      for (const { files, key } of [thief]) {
        const passphrases = [...files.values(), formatWriteKey(key), ...allSecretsOf().map((secret) => Buffer.from(secret.expose()).toString('hex'))];
        await expect(unlock([thief.vault], { passphrases })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
      }
      const reader = await openReader({ vaults: [thief.vault] });
      await expect(reader.open('latest')).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
      const where = { repositoryId: thief.key.repositoryId, site: 'prod', id: point };
      const { sealedManifest, packs } = decodePoint(await stored(`points/prod/${point}`), where, thief.key.signingPublicKey);
      const id = packs[0]?.id ?? '';
      const { sealedContentKey } = decodePackHeader(await stored(`packs/${id.slice(0, 2)}/${id}`));
      for (const secret of allSecretsOf()) {
        const opener = await createOpener(secret);
        await expect(openManifest(sealedManifest, where, opener)).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
        await expect(opener.open(sealedContentKey, 'lifeboat/1/pack', Buffer.from(where.repositoryId, 'hex'))).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
      }
    });

    it('has no read or maintain key, and cannot pass the write key off as one', async () => {
      const text = formatWriteKey(thief.key);
      for (const parse of [parseReadKey, parseMaintainKey]) expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID' }));
      for (const role of ['read', 'maintain', 'owner'] as const) {
        await expect(unlockAs(role, [thief.vault], { roleKeys: [{ role: 'write', keys: thief.key }] })).rejects.toMatchObject({ code: 'LB_KEY_ROLE' });
      }
    });

    it('cannot remove a point or a key slot: what it signs removes nothing', async () => {
      const sha256 = sha256Hex(await stored(`points/prod/${point}`));
      const asMaintainer = { ...thief.key, maintainKey: thief.key.signingKey };
      const removed = { site: 'prod', id: point, sha256, removedAt: new Date().toISOString(), reason: 'theft', previous: [] };
      expect(await thief.vault.put(pointTombstoneKey('prod', point), encodePointTombstone(removed, asMaintainer))).toBe('created');
      for await (const { key } of thief.vault.list('keys/')) {
        const slot = key.slice('keys/'.length);
        await thief.vault.put(`${key}.removed`, encodeTombstone({ slot, removedAt: new Date().toISOString() }, asMaintainer));
      }
      expect(await place.listed()).toContain(`prod/${point}`);
      expectSame((await place.restore(point)).read, STREAMS);
      await expect(unlock([place.vaults.reader], { passphrases: [PASSPHRASE] })).resolves.toBeDefined();
    });

    it('cannot sweep: nothing is deleted, and neither the sweep nor backups of the owner believe its marks and lease', async () => {
      const before = await place.listed();
      const asMaintainer = { ...maintainKeyOf(place.keys), maintainKey: thief.key.signingKey };
      const forged = sweep({ vaults: [thief.vault], key: asMaintainer, grace: 0, despiteLost: true });
      await forged.then(
        ({ vaults }) => expect(vaults).toMatchObject([{ deleted: 0 }]),
        (error: unknown) => expect(error).toMatchObject({ code: expect.stringMatching(/^LB_(VAULT_ACCESS|VAULT_LOCKED|REPO_FORGED)$/) as string }),
      );
      expect(await place.listed()).toEqual(before);
      expectSame((await place.restore(point)).read, STREAMS);
      const own = await sweep({ vaults: [place.vaults.maintainer], key: maintainKeyOf(place.keys), grace: 0 });
      expect(own.vaults).toMatchObject([{ vault: 'locked', failed: [] }]);
      expectSame((await place.restore(point)).read, STREAMS);
    });

    it('cannot say that something was verified', async () => {
      const asReader: ReadKey = { ...readKeyOf(place.keys), reportKey: thief.key.signingKey };
      const now = new Date().toISOString();
      const coverage = new Coverage();
      await storeReport({ vault: 'locked', startedAt: now, at: now, full: now, read: { objects: 9, bytes: 9 }, findings: 0, includes: [], coverage }, thief.vault, asReader);
      expect(await lastVerified(place.vaults.reader, readKeyOf(place.keys))).toEqual({});
      const report = await verify({ vaults: [place.vaults.reader], keys: readKeyOf(place.keys), depth: 'data', remember: true });
      expect(report.data?.objects).toBe(report.data?.totalObjects);
      expect((await lastVerified(place.vaults.reader, readKeyOf(place.keys))).full).toBeDefined();
    });

    it('cannot make a point pass for one of another site, moment or repository by putting it there', async () => {
      const bytes = await stored(`points/prod/${point}`);
      const later = `${point.slice(0, 9)}235959Z-00000000`;
      for (const [site, id] of [['staging', point], ['prod', later]] as const) {
        await thief.vault.put(`points/${site}/${id}`, bytes);
        await expect(place.restore(id, site)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
      }
      const other = await generateRepositoryKeys();
      const where = { repositoryId: thief.key.repositoryId, site: 'prod', id: point };
      const genuine = decodePoint(bytes, where, thief.key.signingPublicKey);
      const foreign = encodePoint({ ...genuine, packTable: encodePackTable(genuine.packs), repositoryId: other.repositoryId, header: { ...genuine.header, id: later.replace(/0$/, '1') } }, thief.key.signingKey);
      await thief.vault.put(`points/prod/${later.replace(/0$/, '1')}`, foreign);
      await expect(place.restore(later.replace(/0$/, '1'))).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
      for (const { key, id } of await thief.versions()) if (/235959Z|staging/.test(key)) await removeAsOwner(key, id);
    });

    it('can neither delete, nor shorten the lock of, any version of anything', async () => {
      const versions = (await thief.versions()).filter(({ key }) => /^(packs|index|points|keys)\/|^lifeboat\.json$/.test(key) && !key.endsWith('.removed'));
      expect(versions.length).toBeGreaterThan(4);
      for (const version of versions) expect([version.key, await thief.attack(version)]).toEqual([version.key, 0]);
      for (const { key } of versions) await expect(thief.hide(key)).rejects.toMatchObject({ name: 'AccessDenied' });
      expect((await thief.versions()).filter(({ isMark }) => isMark)).toEqual([]);
      await expect(thief.vault.delete(`points/prod/${point}`)).rejects.toMatchObject({ code: 'LB_VAULT_LOCKED' });
    });
  });

  /** What only an owner of the bucket may do. */
  async function removeAsOwner(key: string, _id: string): Promise<void> {
    await place.vaults.maintainer.delete(key);
  }

  describe('a thief who puts something over everything that is locked', () => {
    const lies: string[] = [];
    beforeAll(async () => {
      // A point that is signed with the stolen key, and says that nothing was backed up.
      const where = { repositoryId: thief.key.repositoryId, site: 'prod', id: point };
      const genuine = decodePoint(await stored(`points/prod/${point}`), where, thief.key.signingPublicKey);
      const lie = encodePoint({ ...genuine, repositoryId: where.repositoryId, packTable: encodePackTable([]), indexes: [] }, thief.key.signingKey);
      for (const { key } of await thief.versions()) {
        if (lies.includes(key)) continue;
        lies.push(key);
        await thief.shadow(key, key === `points/prod/${point}` ? lie : Buffer.from('a shadow'));
      }
    });

    it('does not change what is opened, listed and restored, and is told of', async () => {
      await expect(unlock([place.vaults.reader], { passphrases: [PASSPHRASE] })).resolves.toBeDefined();
      expect(await place.listed()).toContain(`prod/${point}`);
      const { read, warnings } = await place.restore(point);
      expectSame(read, STREAMS);
      expect(warnings.filter(({ kind }) => kind === 'point-disputed')).toMatchObject([{ message: expect.stringContaining('one is in locked; another in locked (put over it)') as string }]);
      const reader = await openReader({ vaults: [place.vaults.reader] });
      const listed = (await reader.listPoints({ copies: true })).find(({ id }) => id === point);
      expect(listed).toMatchObject({ disputed: [['locked'], ['locked (put over it)']], copies: [{ state: 'complete', lockedUntil: expect.any(String) as string }] });
      expect(listed?.copies?.[0]?.shadowed).toBeGreaterThan(1);
    });

    it('does not keep honest backups from going on', async () => {
      const id = await place.backUp({ secrets: ['after the theft'] });
      expectSame((await place.restore(id)).read, { secrets: ['after the theft'] });
    });

    it('is undone by who maintains the vault, and by nobody else', async () => {
      const found = await verify({ vaults: [place.vaults.reader], keys: readKeyOf(place.keys), depth: 'data' });
      expect(new Set(found.findings.map(({ kind, points }) => `${kind} ${points.length}`))).toEqual(new Set(['shadowed 0', 'disputed 0', 'forged 0']));
      const inVain = await verify({ vaults: [place.vaults.reader], keys: readKeyOf(place.keys), depth: 'structure', heal: 'heal' });
      expect(new Set(inVain.repairs?.filter(({ object }) => !object.endsWith('.removed')).map(({ outcome }) => outcome))).toEqual(new Set(['kept']));
      const healed = await verify({ vaults: [place.vaults.maintainer], trusted: maintainKeyOf(place.keys), depth: 'structure', heal: 'heal' });
      const repaired = new Map(healed.repairs?.map(({ object, outcome }) => [object, outcome]));
      const locked = lies.filter((key) => /^(packs|index|points)\//.test(key) && !key.endsWith('.removed'));
      expect(locked.map((key) => [key, repaired.get(key)])).toEqual(locked.map((key) => [key, 'healed']));
      const left = await verify({ vaults: [place.vaults.reader], keys: readKeyOf(place.keys), depth: 'data' });
      expect(left.findings.filter(({ kind }) => kind === 'shadowed' || kind === 'disputed')).toEqual([]);
      expectSame((await place.restore(point)).read, STREAMS);
    });
  });

  describe('a thief with the write key can, as docs/threat-model.md says,', () => {
    it('add points in the name of the machine, of any site of the repository', async () => {
      const writer = await openWriter({ vaults: [thief.vault], writeKey: thief.key });
      for (const site of ['prod', 'never-seen']) {
        const session = await writer.begin(site);
        const records = session.records();
        await records.write(Buffer.from('a lie'));
        const ref = await records.end();
        const { header } = await session.commit({ at: new Date().toISOString(), complete: true, manifest: { kind: 'test', streams: { lies: { ...ref } } } });
        expectSame((await place.restore(header.id, site)).read, { lies: ['a lie'] });
      }
    });

    it('test whether a known object is in a vault', async () => {
      const ids: Uint8Array[] = [];
      for await (const { key } of thief.vault.list('index/')) {
        const bytes = await stored(key);
        for (const index of await decodeIndexObject(bytes, thief.key.indexKey, Buffer.from(thief.key.repositoryId, 'hex')).catch(() => [])) ids.push(index.ids);
      }
      const nameOf = (text: string): Buffer => {
        const framed = Buffer.concat([Buffer.from(Uint32Array.of(text.length).buffer), Buffer.from(text)]);
        return Buffer.from(createChunkNamer(thief.key.dedupKey).name(framed).subarray(0, 16));
      };
      const isThere = (text: string): boolean => ids.some((all) => Buffer.from(all).includes(nameOf(text)));
      expect([isThere('a lie'), isThere('another')]).toEqual([true, false]);
    });

    it('poison the index: later points refer to wrong chunks, which is found when they are verified or restored, and never restored as something else', async () => {
      const wanted = 'what is to be backed up next, and is known to the thief';
      const framed = Buffer.concat([Buffer.from(Uint32Array.of(wanted.length).buffer), Buffer.from(wanted)]);
      const repositoryId = Buffer.from(thief.key.repositoryId, 'hex');
      // A pack of the thief's own, made where nobody sees it: only that goes to the vault, with an index object that lies about it.
      const hideout = new MemoryVault('hideout', [['lifeboat.json', await stored('lifeboat.json')]]);
      await backUp({ vaults: [], keys: { ...place.keys, ...thief.key } }, { all: ['something else'] }, { vaults: [hideout] });
      const poisoned: PackIndex[] = [];
      for (const [key, made] of hideout.objects) {
        if (key.startsWith('packs/')) await thief.vault.put(key, made);
        if (!key.startsWith('index/')) continue;
        for (const { pack, blocks, ids } of await decodeIndexObject(made, thief.key.indexKey, repositoryId)) {
          const lies = Buffer.from(ids);
          createChunkNamer(thief.key.dedupKey).name(framed).copy(lies, 0, 0, 16);
          poisoned.push({ pack, blocks, ids: lies });
        }
      }
      expect(poisoned).toHaveLength(1);
      const bytes = await encodeIndexObject(poisoned, thief.key.indexKey, repositoryId);
      await thief.vault.put(indexKey(`${compactTime(Date.now() + 60_000)}-${sha256Hex(bytes)}`), bytes);
      const id = await place.backUp({ secrets: [wanted] });
      await expect(place.restore(id)).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
      const { findings } = await verify({ vaults: [place.vaults.reader], keys: readKeyOf(place.keys), depth: 'data' });
      expect(findings.filter(({ points }) => points.includes(id)).map(({ kind }) => kind)).toEqual(['unreadable']);
      // Points from before are what they were.
      expectSame((await place.restore(point)).read, STREAMS);
    });
  });
});
