import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/pipeline/backup.ts';
import { verify } from '../../src/repository/index.ts';
import { openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import type { BackupJob } from './backup.child.ts';
import { Child } from './child.ts';
import { fillPlain, rewriteSome } from './filling.ts';
import { randomOfTest } from './random.ts';
import { digestsOf } from './state.ts';
import { makeStore, s3Settings, stateIn } from './store.ts';

const ROUNDS = 3;

let folder: string;
let place: Place;
let server: S3Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-twice-'));
  [place, server] = await Promise.all([openPlace({ name: 'prod', controllers: false }), startVersitygw()]);
  await fillPlain(place.site.api);
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('two backups of one site at the same time', () => {
  it('both succeed, and the next point follows both', async () => {
    const random = randomOfTest();
    await using store = await makeStore(folder, { near: { type: 'directory', path: join(folder, 'near') }, far: await s3Settings(server, 'twice') });
    const job: BackupJob = { kubeconfig: place.site.kubeconfigPath, site: 'prod', vaults: store.settings, keyFile: store.keyFile, hold: true };
    const jobFile = join(folder, 'job.json');
    await writeFile(jobFile, JSON.stringify(job));
    const states = new Map<string, Record<string, string>>();
    for (let round = 0; round < ROUNDS; round += 1) {
      await rewriteSome(place.site.api, random);
      const state = await digestsOf(await place.cut());
      await using one = new Child('backup.child.ts', [jobFile]);
      await using two = new Child('backup.child.ts', [jobFile]);
      const pair = [one, two];
      // Both have begun before either goes on: neither can see what the other stores.
      for (const mark of ['ready', 'begun']) {
        await Promise.all(pair.map((child) => child.until(mark)));
        for (const child of pair) child.tell();
      }
      const said = await Promise.all(pair.map((child) => child.until('point')));
      await Promise.all(pair.map((child) => child.finished()));
      const ids = said.map((line) => line.split(' ')[1] ?? '');
      expect(said.map((line) => line.split(' ')[2])).toEqual(['near,far', 'near,far']);
      for (const id of ids) states.set(id, state);

      const { point } = await backup({ connection: place.connection, writer: store.writer, site: 'prod' });
      states.set(point.header.id, state);
      expect(point.header.previous.map(({ id }) => id).sort()).toEqual(ids.sort());
      // What both stored is stored twice; what follows finds all of it there.
      expect(point.header.stats.newChunks).toBeLessThan(5);
    }
    expect(states.size).toBe(3 * ROUNDS);
    for (const vault of store.vaults) {
      for (const [id, state] of states) expect(await digestsOf(await stateIn([vault], store.keys, id))).toEqual(state);
    }
    const report = await verify({ vaults: store.vaults, keys: store.keys, depth: 'data' });
    expect(report).toMatchObject({ findings: [], vaults: [{ intactPoints: 3 * ROUNDS }, { intactPoints: 3 * ROUNDS }] });
  });
});
