import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildFor } from '../../infra/functions/build.ts';
import { bundleFunctions, bundleSize, entriesOf, LAMBDA_FUNCTIONS } from '../../infra/functions/bundle.ts';
import { PROJECT } from '../../infra/bundle/bundle.ts';
import type { Bundle } from '../../infra/functions/bundle.ts';
import { FIXTURE, ownFolder } from './surroundings.ts';

const KB = 1024;
/** What a function may load when it starts. */
const MOST_AT_START = 400 * KB;
/** All that one that hands over may ever load: the client of the queue is the largest part. */
const MOST = 2.5 * 1024 * KB;
/** The others reach vaults: all SDKs, each loaded when it is needed. */
const MOST_WITH_SDKS = 12 * 1024 * KB;
const HANDS_OVER = ['backup', 'drill', 'verify', 'retain', 'replicate'];

let folder: string;
let bundles: readonly Bundle[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-bundles-'));
  bundles = await bundleFunctions(folder, { entries: entriesOf([...LAMBDA_FUNCTIONS, 'google', 'azure', 'server']) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the bundles of the functions', () => {
  it('are small', async () => {
    for (const bundle of bundles) {
      const { all, atStart } = await bundleSize(bundle);
      console.log(`${bundle.name}: ${Math.round(atStart / KB)} KB at the start, ${Math.round(all / KB)} KB in all`);
      expect({ name: bundle.name, fits: atStart < MOST_AT_START && all < (HANDS_OVER.includes(bundle.name) ? MOST : MOST_WITH_SDKS) }).toEqual({ name: bundle.name, fits: true });
    }
  });

  it.each([...LAMBDA_FUNCTIONS])('load no SDK, no client of Kubernetes and no queue when %s starts', (name) => {
    const sources = bundles.find((bundle) => bundle.name === name)?.sourcesAtStart ?? [];
    expect(sources).toContain(`functions/${name}.ts`);
    const packages = [...new Set(sources.flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []))].toSorted();
    expect(packages).toEqual(['croner', 'zod'].filter((one) => packages.includes(one)));
    expect(sources.filter((source) => /^src\/(?:site|repository|keys|queue|access)\//.test(source) && source !== 'src/repository/layout.ts')).toEqual([]);
  });

  it('run on their own: each can be loaded, and has its handler', async () => {
    const script = `const found = []; for (const name of ${JSON.stringify(LAMBDA_FUNCTIONS)}) found.push([name, typeof (await import(process.argv[1] + '/functions/' + name + '.js')).handler]); console.log(JSON.stringify(found));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, folder], { cwd: tmpdir() });
    expect(JSON.parse(stdout)).toEqual(LAMBDA_FUNCTIONS.map((name) => [name, 'function']));
  });
});

describe('a bundle of code that names files beside it', () => {
  it('finds them: worker threads, assets, the version', async () => {
    const own = await ownFolder();
    const entry = join(own, 'entry.ts');
    const root = new URL('../../src/', import.meta.url).pathname;
    await writeFile(
      entry,
      `export const rescue = async () => (await import(${JSON.stringify(`${root}repository/rescue/files.ts`)}));
       export const site = async () => (await import(${JSON.stringify(`${root}site/connect.ts`)}));
       export const thread = async () => (await import(${JSON.stringify(`${root}repository/bulk/thread.ts`)}));`,
    );
    const out = join(own, 'out');
    const [bundle] = await bundleFunctions(out, { entries: { probe: entry } });
    expect(bundle?.files).toEqual(expect.arrayContaining(['workers/bulk-worker.js', 'assets/rescue-lifeboat-rescue.mjs', 'assets/rescue-README.md']));
    const script = `const probe = await import(process.argv[1]); const [r, s, t] = await Promise.all([probe.rescue(), probe.site(), probe.thread()]); console.log(JSON.stringify([typeof s.connectSite, (await r.rescueFiles()).map(({ key }) => key), typeof t.WorkerThread]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(out, bundle?.entry ?? '')], { cwd: tmpdir() });
    expect(JSON.parse(stdout)).toEqual(['function', [expect.stringMatching(/^rescue\/lifeboat-rescue-/), expect.stringMatching(/^rescue\/README-/)], 'function']);
    expect(await readFile(join(out, 'assets/rescue-lifeboat-rescue.mjs'), 'utf8')).toContain('import.meta.url');
  });
});

describe('the functions, built for other platforms', () => {
  it('are a folder that is deployed as it is', async () => {
    const own = await ownFolder();
    for (const platform of ['google', 'azure', 'server'] as const) {
      const out = join(own, platform);
      await buildFor(platform, out, join(FIXTURE, 'lifeboat.yaml'));
      const description = JSON.parse(await readFile(join(out, 'package.json'), 'utf8')) as { main: string; type: string };
      expect(description).toMatchObject({ type: 'module', main: `functions/${platform}.js` });
      expect(await readFile(join(out, description.main), 'utf8')).not.toBe('');
      expect(await readFile(join(out, 'lifeboat.yaml'), 'utf8')).toContain('queue:');
    }
    expect(JSON.parse(await readFile(join(own, 'azure/host.json'), 'utf8'))).toMatchObject({ version: '2.0' });
  });

  it('are built again into their folder, and into no folder that holds something else', async () => {
    const own = await ownFolder();
    const config = join(FIXTURE, 'lifeboat.yaml');
    const photos = join(own, 'photos');
    await mkdir(join(photos, 'summer'), { recursive: true });
    await writeFile(join(photos, 'summer/sea.jpg'), 'the sea');
    await expect(buildFor('server', photos, config)).rejects.toMatchObject({ code: 'LB_USAGE', where: photos });
    expect(await readdir(photos)).toEqual(['summer']);
    expect(await readFile(join(photos, 'summer/sea.jpg'), 'utf8')).toBe('the sea');
    const out = join(own, 'out');
    await expect(buildFor('server', out, join(own, 'lifeboat.yaml'))).rejects.toMatchObject({ code: 'LB_CONFIG_MISSING' });
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' });
    await buildFor('server', out, config);
    await buildFor('server', out, config);
    expect(await readdir(out)).toContain('lifeboat.yaml');
  });

  it('are registered with the framework of Google when it loads them', async () => {
    const own = await ownFolder();
    const out = join(own, 'google');
    await buildFor('google', out, join(FIXTURE, 'lifeboat.yaml'));
    await symlink(join(PROJECT, 'node_modules'), join(out, 'node_modules'));
    const script = `await import(process.argv[1]); const { getFunction } = await import(process.argv[2]); console.log(JSON.stringify(['backup', 'drill', 'verify', 'retain', 'replicate', 'restore', 'status', 'work'].map((name) => typeof getFunction(name))));`;
    const testing = join(PROJECT, 'node_modules/@google-cloud/functions-framework/build/src/testing.js');
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(out, 'functions/google.js'), testing], { cwd: out });
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 8 }, () => 'function'));
  });
});
