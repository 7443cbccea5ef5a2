import { describe, expect, it } from 'vitest';
import { writeKeyOf } from '../../src/keys/index.ts';
import { signFor } from '../../src/keys/signing.ts';
import { openReader, openWriter, verify } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, expectSame, madeUpList, makeScene, restore, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

function pointOf(
  scene: Scene,
  id: string,
  site = 'prod',
): { readonly vault: MemoryVault; readonly key: string; readonly bytes: Uint8Array } {
  const [vault] = scene.vaults as [MemoryVault];
  const key = `points/${site}/${id}`;
  return { vault, key, bytes: vault.objects.get(key) ?? new Uint8Array() };
}

/** A point with its signed line changed, and signed again if a key is given. */
function edited(bytes: Uint8Array, edit: (line: string) => string, scene?: Scene): Buffer {
  const text = Buffer.from(bytes);
  const end = text.indexOf(10);
  const line = Buffer.from(edit(text.toString('utf8', 0, end)));
  const rest = text.subarray(end);
  if (scene === undefined) return Buffer.concat([line, rest]);
  const signature = Buffer.from(signFor('lifeboat/1/point', line, scene.keys.signingKey)).toString('hex');
  return Buffer.concat([line, Buffer.from(`\n{"signature":"${signature}"}\n`), rest.subarray(146)]);
}

describe('a recovery point', () => {
  it('that was edited is refused and named', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, key, bytes } = pointOf(scene, header.id);
    vault.objects.set(
      key,
      edited(bytes, (line) => line.replace('"complete":true', '"complete":false')),
    );
    await expect(restore(scene)).rejects.toMatchObject({ code: 'LB_REPO_FORGED', where: `vault "a", ${key}` });
    const reader = await openReader({ vaults: scene.vaults });
    expect(await reader.listPoints()).toMatchObject([
      { id: header.id, problem: expect.stringContaining('signature') as string },
    ]);
  });

  it('that was copied to another id or another site is refused', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, bytes } = pointOf(scene, header.id);
    const later = '20990101T000000Z-00000000';
    vault.objects.set(`points/prod/${later}`, bytes);
    vault.objects.set(`points/other/${header.id}`, bytes);
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    await expect(reader.open(later)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
    await expect(reader.open(header.id, { site: 'other' })).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
    expect((await reader.open(header.id, { site: 'prod' })).header).toEqual(header);
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' });
    expect(report.findings.map((finding) => [finding.object, finding.kind])).toEqual([
      [`points/other/${header.id}`, 'forged'],
      [`points/prod/${later}`, 'forged'],
    ]);
  });

  it('from another repository is refused, though it was signed with its key', async () => {
    const [scene, other] = await Promise.all([makeScene(), makeScene()]);
    const { header } = await backUp(other, { all: madeUpList(10) });
    scene.vaults[0]?.objects.set(`points/prod/${header.id}`, pointOf(other, header.id).bytes);
    await expect(restore(scene)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
  });

  it('from another repository of the same signing key is refused', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, key, bytes } = pointOf(scene, header.id);
    vault.objects.set(
      key,
      edited(bytes, (line) => line.replace(scene.keys.repositoryId, '0'.repeat(32)), scene),
    );
    await expect(restore(scene)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
  });

  it('whose manifest or packs were taken from another point is refused', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const one = await backUp(scene, { all: ['first'] }, { clock });
    const two = await backUp(scene, { all: ['second'] }, { clock });
    const first = pointOf(scene, one.header.id);
    const second = pointOf(scene, two.header.id);
    const sections = (bytes: Uint8Array): Buffer => {
      const text = Buffer.from(bytes);
      return text.subarray(text.indexOf(10, text.indexOf(10) + 1) + 1);
    };
    const head = Buffer.from(second.bytes).subarray(0, second.bytes.length - sections(second.bytes).length);
    second.vault.objects.set(second.key, Buffer.concat([head, sections(first.bytes)]));
    await expect(restore(scene)).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
  });

  it('of a newer format is refused as that, by everyone', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, key, bytes } = pointOf(scene, header.id);
    vault.objects.set(
      key,
      edited(bytes, (line) => line.replace('"version":1', '"version":2'), scene),
    );
    const newer = { code: 'LB_REPO_NEWER_FORMAT' };
    await expect(restore(scene)).rejects.toMatchObject(newer);
    await expect(backUp(scene, { all: [] })).rejects.toMatchObject(newer);
    await expect(verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' })).rejects.toMatchObject(newer);
  });

  it('whose version was damaged is not taken for a newer one', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, key, bytes } = pointOf(scene, header.id);
    vault.objects.set(
      key,
      edited(bytes, (line) => line.replace('"version":1', '"version":3')),
    );
    await expect(restore(scene)).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
  });

  it('is read from the vault that has it intact', async () => {
    const scene = await makeScene('a', 'b');
    const { header } = await backUp(scene, { all: madeUpList(10) });
    const { vault, key, bytes } = pointOf(scene, header.id);
    vault.objects.set(key, bytes.subarray(0, -1));
    expectSame(await restore(scene), { all: madeUpList(10) });
  });

  it('sorts after the one before it, however quickly they follow each other', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push((await backUp(scene, { all: [`${i}`] }, { clock })).header.id);
    expect([...ids].sort()).toEqual(ids);
    expectSame(await restore(scene), { all: ['19'] });
  });
});

describe('the chain of points', () => {
  it('joins again after two backups at the same time', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), clock });
    const first = await backUp(scene, { all: madeUpList(20) }, { clock });
    clock.advance(60_000);
    const commit = { at: '2026-03-14T02:15:00.000Z', complete: true };
    const sessions = [await writer.begin('prod'), await writer.begin('prod')];
    const both = await Promise.all(
      sessions.map(async (session, i) => {
        const stream = session.records();
        for (const record of madeUpList(20, { generation: () => i })) await stream.write(record);
        return session.commit({ ...commit, manifest: { streams: { all: { ...(await stream.end()) } } } });
      }),
    );
    for (const { header } of both) expect(header.previous.map((previous) => previous.id)).toEqual([first.header.id]);
    clock.advance(60_000);
    const last = await backUp(scene, { all: [] }, { clock });
    expect(last.header.previous.map((previous) => previous.id).sort()).toEqual(
      both.map(({ header }) => header.id).sort(),
    );
    for (const [i, { header }] of both.entries())
      expectSame(await restore(scene, header.id), { all: madeUpList(20, { generation: () => i }) });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });

  it('shows that a point was taken out', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push((await backUp(scene, { all: [`${i}`] }, { clock })).header.id);
      clock.advance(60_000);
    }
    scene.vaults[0]?.objects.delete(`points/prod/${ids[1]}`);
    const report = await verify({ vaults: scene.vaults, depth: 'structure' });
    expect(report.findings).toMatchObject([{ object: `points/prod/${ids[1]}`, kind: 'chain', points: [ids[1]] }]);
  });

  it('shows that a point was replaced by another that a stolen write key signed', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const first = await backUp(scene, { all: ['1'] }, { clock });
    clock.advance(60_000);
    await backUp(scene, { all: ['2'] }, { clock });
    const { vault, key, bytes } = pointOf(scene, first.header.id);
    vault.objects.set(
      key,
      edited(bytes, (line) => line.replace('"complete":true', '"complete":false'), scene),
    );
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' });
    expect(report.findings).toMatchObject([{ object: key, kind: 'chain' }]);
  });
});
