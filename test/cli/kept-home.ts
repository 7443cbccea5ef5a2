import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatMaintainKey, formatReadKey, formatWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import { openWriter } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { backUp, madeUpList, makeSceneIn, testClock } from '../repository/scene.ts';
import { Home } from './home.ts';
import { emptyFolder } from './lifeboat.ts';

const VAULTS = ['near', 'far'];

/** A home of points that are there already, each in both vaults; nothing in it needs a cluster. */
export interface KeptHome {
  readonly home: Home;
  /** Makes a point of a site as of a time; `generation` decides what is in it. */
  readonly point: (site: string, at: string, generation?: number) => Promise<string>;
  /** Leaves packs that no point needs, as a killed backup does. */
  readonly garbage: () => Promise<void>;
}

/** `plans`: what lifeboat.yaml has under `plans:`, on one line. There are the sites `prod` and `edge`, and keys for each role. */
export async function keptHome(plans: string): Promise<KeptHome> {
  const home = new Home(await emptyFolder());
  for (const name of VAULTS) await mkdir(home.path(name));
  const vaults = await Promise.all(VAULTS.map((name) => openDirectoryVault({ name, path: home.path(name) })));
  const scene = await makeSceneIn(vaults);
  await writeFile(home.path('write.key'), formatWriteKey(writeKeyOf(scene.keys)), { mode: 0o600 });
  await writeFile(home.path('read.key'), formatReadKey(scene.keys), { mode: 0o600 });
  await writeFile(home.path('maintain.key'), formatMaintainKey(scene.keys), { mode: 0o600 });
  await writeFile(
    join(home.folder, 'lifeboat.yaml'),
    `version: 1
sites: {prod: {kubeconfig: none}, edge: {kubeconfig: none}}
vaults: {${VAULTS.map((name) => `${name}: {type: directory, path: ${name}}`).join(', ')}}
keys: {write: {file: write.key}, read: {file: read.key}, maintain: {file: maintain.key}}
plans: {${plans}}
`,
  );
  return {
    home,
    async point(site, at, generation = 0) {
      const clock = testClock(Date.parse(at));
      return (await backUp(scene, { all: madeUpList(20, { generation: () => generation }) }, { site, clock, at })).header.id;
    },
    async garbage() {
      const session = await (await openWriter({ vaults, writeKey: writeKeyOf(scene.keys) })).begin('prod');
      const stream = session.records();
      for (const record of madeUpList(20, { generation: () => 1000 })) await stream.write(record);
      await stream.end();
      await session.commit({ at: 'no time', complete: true, manifest: {} }).catch(() => undefined);
    },
  };
}
