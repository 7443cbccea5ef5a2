import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointSource } from '../../src/pipeline/sources.ts';
import { openReader, verify } from '../../src/repository/index.ts';
import { openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import type { BackupJob } from './backup.child.ts';
import { fillPlain, rewriteSome } from './filling.ts';
import { kills as killsOf } from '../support/kills.ts';
import { randomOfTest } from './random.ts';
import { digestsOf } from './state.ts';
import { makeStore, s3Settings } from './store.ts';
import type { Store, VaultTable } from './store.ts';
import { Pace, Trial } from './trial.ts';

/** Kills of a backup that was under way; each kind of vaults gets half of them. */
const KILLS = killsOf(100, 40);
/** Kills that one repository goes through. */
const KILLS_PER_REPOSITORY = 10;
const VERIFY_EVERY = 5;

let folder: string;
let place: Place;
let store: S3Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-killed-'));
  [place, store] = await Promise.all([openPlace({ name: 'prod', controllers: false }), startVersitygw()]);
  await fillPlain(place.site.api);
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await store?.stop();
  await rm(folder, { recursive: true, force: true });
});

const newFolder = async (): Promise<VaultTable[string]> => ({ type: 'directory', path: await mkdtemp(join(folder, 'vault-')) });
const KINDS = {
  'two folders': async (): Promise<VaultTable> => ({ near: await newFolder(), far: await newFolder() }),
  'a folder and an S3 server': async (): Promise<VaultTable> => ({ near: await newFolder(), far: await s3Settings(store, 'killed') }),
};

async function expectClean(store: Store, depth: 'structure' | 'data'): Promise<void> {
  const report = await verify({ vaults: store.vaults, keys: store.keys, depth });
  expect(report.findings).toEqual([]);
  for (const vault of report.vaults) expect(vault.intactPoints).toBe(vault.points);
}

/** Every point restores, from each vault alone, to what was in the site. */
async function expectStates(store: Store, states: ReadonlyMap<string, Record<string, string>>): Promise<void> {
  for (const vault of store.vaults) {
    // One that remembers nothing of the time when there were kills.
    const reader = await openReader({ vaults: [vault], keys: store.keys });
    expect((await reader.listPoints()).map(({ id }) => id)).toEqual([...states.keys()].sort());
    for (const [id, state] of states) expect(await digestsOf(pointSource(await reader.open(id))), `${id} in ${vault.name}`).toEqual(state);
  }
}

describe('a backup that is killed at any moment', () => {
  it.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('leaves whole points only, and the next one succeeds: %s', { timeout: 600_000 }, async (kind) => {
    const random = randomOfTest();
    const pace = new Pace();
    for (let kills = 0; kills < KILLS / 2; ) {
      await using store = await makeStore(folder, await KINDS[kind]());
      const job: BackupJob = { kubeconfig: place.site.kubeconfigPath, site: 'prod', vaults: store.settings, keyFile: store.keyFile };
      const jobFile = join(folder, `${randomBytes(4).toString('hex')}.json`);
      await writeFile(jobFile, JSON.stringify(job));
      const trial = new Trial({ place, store, pace, random, job: jobFile });
      try {
        if (kills === 0) await trial.practise();
        for (let killed = 0; killed < KILLS_PER_REPOSITORY; ) {
          await rewriteSome(place.site.api, random);
          if (!(await trial.killOne())) continue;
          killed += 1;
          kills += 1;
          await trial.goOn();
          if (killed % VERIFY_EVERY === 0) await expectClean(store, 'structure');
        }
      } finally {
        await trial.end();
      }
      await expectClean(store, 'data');
      await expectStates(store, trial.states);
    }
  });
});
