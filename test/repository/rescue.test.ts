import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, writeKeyOf } from '../../src/keys/index.ts';
import { addSlot, openWriter } from '../../src/repository/index.ts';
import type { Json } from '../../src/repository/api.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { rescueReaderIn, runRescue } from './rescue.ts';
import type { RescueRun } from './rescue.ts';
import { backUp, madeUpList, makeSceneIn, PASSPHRASE } from './scene.ts';

const ODD_NAMES = [
  'system:controller:node',
  'Über:größe',
  '.hidden',
  'con',
  'Upper',
  'upper',
  'a b\tc',
  'x'.repeat(253),
  '..a',
  '%41',
  'com1.txt',
  '名前',
];
const TYPES = [
  { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterroles',
    kind: 'ClusterRole',
    namespaced: false,
  },
  { group: 'example.com', version: 'v1beta1', resource: 'widgets', kind: 'Widget', namespaced: true },
];

describe('the rescue reader, with a copy of a vault, Node and a key', () => {
  let folder: string;
  let vault: string;
  let empty: string;
  let script: string;
  let pointId: string;
  const widget = Buffer.from(
    '{"apiVersion":"example.com/v1beta1","kind":"Widget",\n "metadata":{"name":"w","namespace":"shop"},"spec":{"big":9007199254740993}}',
  );
  const large = Buffer.from(
    JSON.stringify({ metadata: { name: 'large', namespace: 'shop' }, data: { x: '0123456789abcdef'.repeat(60_000) } }),
  );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-rescue-'));
    const original = await openDirectoryVault({ name: 'a', path: join(folder, 'original'), create: true });
    const scene = await makeSceneIn([original]);
    for (const kind of ['x25519', 'post-quantum'] as const) {
      const { identity, recipient } = await generateIdentity(kind);
      await addSlot([original], scene.keys, { kind: 'age', recipient });
      await writeFile(join(folder, `${kind}.txt`), `# an identity\n${identity}\n`);
    }
    await writeFile(join(folder, 'passphrase.txt'), `${PASSPHRASE}\n`);
    const writer = await openWriter({ vaults: [original], writeKey: writeKeyOf(scene.keys) });
    const streams: Record<string, readonly Buffer[]> = {
      '/configmaps': [...madeUpList(200), large],
      'rbac.authorization.k8s.io/clusterroles': ODD_NAMES.map((name) =>
        Buffer.from(JSON.stringify({ metadata: { name }, rules: null })),
      ),
      'example.com/widgets': [widget],
    };
    for (let round = 0; round < 2; round++) {
      const session = await writer.begin('prod');
      const refs: Record<string, Json> = {};
      for (const [name, records] of Object.entries(streams)) {
        const stream = session.records();
        for (const record of records) await stream.write(record);
        refs[name] = { ...(await stream.end()) };
      }
      const manifest = { kind: 'cluster-state', summary: { types: TYPES }, streams: refs };
      pointId = (await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest })).header.id;
    }
    vault = join(folder, 'copy');
    await cp(join(folder, 'original'), vault, { recursive: true });
    await rm(join(folder, 'original'), { recursive: true });
    empty = join(folder, 'empty');
    await mkdir(empty);
    script = await rescueReaderIn(vault);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const run = (...args: readonly string[]): Promise<RescueRun> => runRescue(script, empty, args);

  it('lists points without a key, and warns about nothing', async () => {
    const { code, stdout, stderr } = await run('list');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stdout).toContain(`${pointId}  prod  2026-03-14T02:15:00.000Z  214 objects`);
  });

  it.each([
    [],
    ['--passphrase-file', 'passphrase.txt'],
    ['--identity-file', 'x25519.txt'],
    ['--identity-file', 'post-quantum.txt'],
  ])('verifies every byte with %s %s', async (...key) => {
    const [option, file] = key as [string?, string?];
    const { code, stdout } = await run('verify', ...(option === undefined ? [] : [option, join(folder, file ?? '')]));
    expect([code, stdout]).toEqual([0, expect.stringMatching(/2 points read, 0 of them bad/) as string]);
  });

  it('writes one JSON file for each object, under safe names', async () => {
    const target = join(folder, 'objects');
    const { code, stderr } = await run('extract', 'latest', target, '--identity-file', join(folder, 'x25519.txt'));
    expect([code, stderr]).toEqual([0, expect.stringContaining('214 objects') as string]);
    const roles = await readdir(join(target, 'rbac.authorization.k8s.io', 'ClusterRole', '_cluster'));
    expect(roles).toHaveLength(ODD_NAMES.length);
    for (const file of roles) expect(file).toMatch(/^[a-z0-9_%][a-z0-9._%~-]{0,210}\.json$/);
    expect(new Set(roles.map((file) => file.toLowerCase())).size).toBe(ODD_NAMES.length);
    const names = await Promise.all(
      roles.map(async (file) => {
        const role = JSON.parse(
          await readFile(join(target, 'rbac.authorization.k8s.io', 'ClusterRole', '_cluster', file), 'utf8'),
        ) as { kind: string; metadata: { name: string } };
        return `${role.kind} ${role.metadata.name}`;
      }),
    );
    expect(names.sort()).toEqual(ODD_NAMES.map((name) => `ClusterRole ${name}`).sort());
    const map = await readFile(join(target, 'core', 'ConfigMap', 'shop', 'large.json'), 'utf8');
    expect(map).toBe(`{"apiVersion":"v1","kind":"ConfigMap",${large.toString().slice(1)}\n`);
    // Numbers too large for JavaScript stay as they were.
    expect(await readFile(join(target, 'example.com', 'Widget', 'shop', 'w.json'), 'utf8')).toContain(
      '9007199254740993',
    );
  });

  it('prints all objects one a line, also with the passphrase typed in', async () => {
    const { code, stdout, stderr } = await runRescue(
      script,
      empty,
      ['extract', pointId.slice(0, 20), '--ndjson'],
      `${PASSPHRASE}\n`,
    );
    expect(stderr).toContain('Passphrase: ');
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 214]);
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('kind');
  });

  it('follows an extent list that is stored as a stream itself', async () => {
    const other = join(folder, 'nested');
    const nested = await openDirectoryVault({ name: 'nested', path: other, create: true });
    const scene = await makeSceneIn([nested]);
    await backUp(scene, { all: madeUpList(24_000, { bytes: 130 }) });
    const types = [{ group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true }];
    const manifest = { kind: 'cluster-state', summary: { types } };
    await backUp(
      scene,
      { '/configmaps': madeUpList(24_000, { bytes: 130, generation: (number) => number % 2 }) },
      { manifest },
    );
    const options = ['--vault', other, '--passphrase-file', join(folder, 'passphrase.txt')];
    const { stdout, code } = await run('extract', 'latest', '--ndjson', ...options);
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 24_000]);
  });

  it('says what is damaged, and extracts nothing from it', async () => {
    const damaged = join(folder, 'damaged');
    await cp(vault, damaged, { recursive: true });
    const [first] = await readdir(join(damaged, 'packs'));
    const [pack] = await readdir(join(damaged, 'packs', first ?? ''));
    const path = join(damaged, 'packs', first ?? '', pack ?? '');
    const bytes = await readFile(path);
    bytes[5000] = (bytes[5000] as number) ^ 4;
    await rm(path);
    await writeFile(path, bytes);
    const verified = await run('verify', '--vault', damaged);
    expect(verified).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`BAD packs/${first}/${pack}`) as string,
    });
    const extracted = await run(
      'extract',
      'latest',
      '--ndjson',
      '--vault',
      damaged,
      '--identity-file',
      join(folder, 'x25519.txt'),
    );
    expect(extracted).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is damaged') as string });
  });

  it('says what to do without lifeboat.json, and goes on without it when there is a key', async () => {
    const headless = join(folder, 'headless');
    await cp(vault, headless, { recursive: true });
    await rm(join(headless, 'lifeboat.json'));
    const key = ['--vault', headless, '--identity-file', join(folder, 'x25519.txt')];
    for (const command of ['list', 'verify']) {
      expect(await run(command, '--vault', headless)).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^lifeboat-rescue: the vault has lost its lifeboat\.json\. Put it back .*--identity-file.*\n$/) as string,
      });
    }
    expect(await run('list', ...key)).toMatchObject({ code: 0, stdout: expect.stringContaining(pointId) as string });
    expect((await run('verify', ...key)).stdout).toMatch(/^BAD lifeboat\.json: .*\n.*2 points read, 1 of them bad/);
    expect((await run('extract', 'latest', '--ndjson', ...key)).code).toBe(0);
    for (const nothing of [empty, join(folder, 'nowhere')]) {
      expect(await run('list', '--vault', nothing)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('is no copy of a vault') as string,
      });
    }
    await rm(join(headless, 'keys'), { recursive: true });
    expect((await run('list', ...key)).stderr).toContain('put keys/ back');
  });

  it('writes files and folders that only their owner can read, also in place of others', async (ctx) => {
    if (process.platform === 'win32') ctx.skip('modes mean nothing here');
    const target = join(folder, 'private');
    const options = ['--identity-file', join(folder, 'x25519.txt')];
    expect((await run('extract', 'latest', target, ...options)).code).toBe(0);
    const modes = async (): Promise<Set<string>> => {
      const entries = await readdir(target, { recursive: true, withFileTypes: true });
      const found = entries.map(async (entry) => {
        const { mode } = await stat(join(entry.parentPath, entry.name));
        return `${entry.isDirectory() ? 'folder' : 'file'} ${(mode & 0o777).toString(8)}`;
      });
      return new Set(await Promise.all(found));
    };
    const own = new Set(['folder 700', 'file 600']);
    expect(await modes()).toEqual(own);
    const readable = join(target, 'example.com', 'Widget', 'shop', 'w.json');
    await chmod(readable, 0o644);
    expect((await run('extract', 'latest', target, ...options)).code).toBe(0);
    expect(await modes()).toEqual(own);
    expect((await stat(target)).mode & 0o777).toBe(0o700);
  });

  it('refuses a wrong key, a point that is not there, and a forged one', async () => {
    const other = join(folder, 'other.txt');
    await writeFile(other, (await generateIdentity('x25519')).identity);
    expect(await run('extract', 'latest', '--ndjson', '--identity-file', other)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('none of the 3 key slots') as string,
    });
    expect(await run('extract', '1999', '--ndjson', '--identity-file', join(folder, 'x25519.txt'))).toMatchObject({
      code: 1,
    });
    const forged = join(folder, 'forged');
    await cp(vault, forged, { recursive: true });
    await cp(join(vault, 'points', 'prod', pointId), join(forged, 'points', 'prod', '20990101T000000Z-00000000'));
    expect(await run('list', '--vault', forged)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/20990101T000000Z-00000000 .*BAD/) as string,
    });
  });

  it('explains itself', async () => {
    const help = await run('--help');
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('extract POINT FOLDER') as string });
    expect(await run('nonsense')).toMatchObject({ code: 1 });
    const readme = (await readdir(join(vault, 'rescue'))).find((name) => name.endsWith('.md'));
    const text = await readFile(join(vault, 'rescue', readme ?? ''), 'utf8');
    expect(text).toContain(`node rescue/${script.slice(script.lastIndexOf('/') + 1)} list`);
  });
});
