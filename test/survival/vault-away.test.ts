import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { backup } from '../../src/pipeline/backup.ts';
import type { BackupResult } from '../../src/pipeline/backup.ts';
import type { RepositoryWriter } from '../../src/repository/api.ts';
import { verify } from '../../src/repository/index.ts';
import { openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { fillPlain, rewriteSome } from './filling.ts';
import { randomOfTest } from './random.ts';
import { digestsOf } from './state.ts';
import { makeStore, s3Settings, stateIn } from './store.ts';
import type { Store } from './store.ts';

let folder: string;
let place: Place;
const servers: S3Server[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-away-'));
  const [site, seaweedfs, versitygw] = await Promise.all([openPlace({ name: 'prod', controllers: false }), startSeaweedfs(), startVersitygw()]);
  place = site;
  servers.push(seaweedfs, versitygw);
  await fillPlain(place.site.api);
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  for (const server of servers) await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Two tries, so that a vault that stays away is soon given up. */
const IMPATIENT = { attempts: 2, firstPauseMs: 50 };
/** As many as a server needs to start on a busy machine. */
const PATIENT = { attempts: 100, longestPauseMs: 1_000 };

const serverNamed = (product: string): S3Server => {
  const found = servers.find((server) => server.product.startsWith(product));
  if (found === undefined) throw new Error(`there is no ${product}`);
  return found;
};

async function twoVaults(server: S3Server, retry: Parameters<typeof makeStore>[2] = {}): Promise<Store> {
  return makeStore(folder, { near: { type: 'directory', path: await mkdtemp(join(folder, 'near-')) }, far: await s3Settings(server, 'away') }, retry);
}

/** A writer that does something when a backup is at a certain place, and waits until it is done. */
function interrupted(writer: RepositoryWriter, moment: Moment, interrupt: () => Promise<void>): RepositoryWriter {
  let records = 0;
  const at = async (now: Moment): Promise<void> => (now === moment ? interrupt() : undefined);
  return {
    id: writer.id,
    async begin(site, options) {
      await at('before it begins');
      const session = await writer.begin(site, options);
      return {
        records: () => {
          const stream = session.records();
          return {
            async write(record) {
              records += 1;
              if (records === 100) await at('while it stores');
              await stream.write(record);
            },
            end: () => stream.end(),
            discard: () => stream.discard(),
          };
        },
        stream: (...args) => session.stream(...args),
        image: (...args) => session.image(...args),
        async commit(point) {
          await at('when it commits');
          return session.commit(point);
        },
        suspend: () => session.suspend(),
        abort: () => session.abort(),
      };
    },
    close: () => writer.close(),
  };
}
const MOMENTS = ['before it begins', 'while it stores', 'when it commits'] as const;
type Moment = (typeof MOMENTS)[number];

async function run(writer: RepositoryWriter): Promise<BackupResult & { readonly warnings: readonly Warning[] }> {
  const warnings: Warning[] = [];
  const result = await backup({ connection: place.connection, writer, site: 'prod', onWarning: (warning) => warnings.push(warning) });
  return { ...result, warnings };
}

/** SeaweedFS takes long to come back. */
const KILLED = [['SeaweedFS', 'while it stores'] as const, ...MOMENTS.map((moment) => ['versitygw', moment] as const)];

describe('an S3 server that is killed in a backup', () => {
  it.each(KILLED)('(%s, %s) does not keep the point from the other vault, and is made whole by the next backup', async (product, moment) => {
    const random = randomOfTest();
    const server = serverNamed(product);
    await using store = await twoVaults(server, { retry: IMPATIENT });
    const first = await run(store.writer);
    expect(first.point.vaults).toEqual(['near', 'far']);

    await rewriteSome(place.site.api, random);
    const state = await digestsOf(await place.cut());
    const missed = await run(interrupted(store.writer, moment, () => server.kill()));
    expect(missed.point).toMatchObject({ vaults: ['near'], failed: [{ vault: 'far', code: 'LB_VAULT_UNAVAILABLE' }] });
    expect(missed.warnings).toContainEqual(expect.objectContaining({ kind: 'vault-dropped', message: expect.stringContaining('"far"') as string }));
    await server.restart();

    const [near, far] = store.vaults;
    if (near === undefined || far === undefined) throw new Error('a vault is missing');
    expect(await digestsOf(await stateIn([near], store.keys, missed.point.header.id))).toEqual(state);
    // What it holds now is what it held before.
    expect(await verify({ vaults: [far], keys: store.keys, depth: 'data' })).toMatchObject({ findings: [], vaults: [{ points: 1, intactPoints: 1 }] });

    const next = await run(store.writer);
    expect(next.point).toMatchObject({ vaults: ['near', 'far'], failed: [] });
    expect(await digestsOf(await stateIn([far], store.keys, next.point.header.id))).toEqual(state);
    // It has all but the point it missed, if that one needs what it never got.
    const { findings } = await verify({ vaults: store.vaults, keys: store.keys, depth: 'data' });
    const missing = `points/prod/${missed.point.header.id}`;
    expect(findings.filter((finding) => finding.vault !== 'far' || finding.object !== missing)).toEqual([]);
  });
});

describe('an S3 server that restarts in a backup', () => {
  it('is waited for', async () => {
    const server = serverNamed('versitygw');
    await using store = await twoVaults(server, { retry: PATIENT });
    const state = await digestsOf(await place.cut());
    let restarting: Promise<void> | undefined;
    const restarted = interrupted(store.writer, 'while it stores', async () => {
      await server.kill();
      restarting = server.restart();
    });
    const { point, warnings } = await run(restarted);
    await restarting;
    expect({ vaults: point.vaults, warnings }).toEqual({ vaults: ['near', 'far'], warnings: [] });
    for (const vault of store.vaults) expect(await digestsOf(await stateIn([vault], store.keys, point.header.id))).toEqual(state);
  });

  it('is one clear error when it stays away and is the only vault; nothing is visible then', async () => {
    const server = serverNamed('versitygw');
    await using store = await makeStore(folder, { far: await s3Settings(server, 'away') }, { retry: IMPATIENT });
    await expect(run(interrupted(store.writer, 'while it stores', () => server.kill()))).rejects.toMatchObject({ code: 'LB_VAULT_UNAVAILABLE', where: expect.stringContaining('"far"') as string });
    await server.restart();
    expect(await store.reader.listPoints()).toEqual([]);
    expect((await run(store.writer)).point.vaults).toEqual(['far']);
    expect(await verify({ vaults: store.vaults, keys: store.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });
});
