import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/pipeline/backup.ts';
import type { RestoreReport } from '../../src/pipeline/restore/report.ts';
import type { StateSource } from '../../src/site/types.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import { differencesTo, openPlace, restoreInto, troubles } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { Child } from './child.ts';
import { randomOfTest } from './random.ts';
import type { Random } from './random.ts';
import type { RestoreJob } from './restore.child.ts';
import { kills } from '../support/kills.ts';
import { makeStore, stateIn } from './store.ts';
import type { Store } from './store.ts';

/** Kills of one restore; with all of them there are as many restores as make fifty kills. */
const KILLS = 10;
const SITES = [
  { name: 'controlled-1', controllers: true },
  { name: 'bare-1', controllers: false },
  { name: 'controlled-2', controllers: true },
  { name: 'bare-2', controllers: false },
  { name: 'controlled-3', controllers: true },
].slice(0, kills(5, 2));

let folder: string;
let store: Store;
let source: StateSource;
/** What an uninterrupted restore makes of the point, where controllers run and where none do. */
const uninterrupted = new Map<boolean, StateSource>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-killed-'));
  store = await makeStore(folder, { near: { type: 'directory', path: join(folder, 'near') } });
  {
    await using lost = await openPlace({ name: 'lost', controllers: true });
    await fillSite(lost.site.api, town(0));
    const { point } = await backup({ connection: lost.connection, writer: store.writer, site: 'lost' });
    source = await stateIn(store.vaults, store.keys, point.header.id);
  }
  await Promise.all(
    [true, false].map(async (controllers) => {
      await using place = await openPlace({ name: 'whole', controllers });
      expect(troubles(await restoreInto(place, source))).toEqual([]);
      uninterrupted.set(controllers, await place.cut());
    }),
  );
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function startRestore(place: Place): Promise<Child> {
  const job: RestoreJob = { kubeconfig: place.site.kubeconfigPath, vaults: store.settings, identity: store.identity };
  const file = join(folder, `${place.site.name}.json`);
  await writeFile(file, JSON.stringify(job));
  return new Child('restore.child.ts', [file]);
}

/** Chooses the moments for one site, so that they are spread over all of a restore. */
class Moments {
  readonly #random: Random;
  /** Objects that need no writing, known when the first restore begins to write. */
  #settled: number | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Waits for the moment of the `number`th kill: while it looks and plans, or when so much is written, or while it reads everything again. */
  async wait(child: Child, number: number): Promise<void> {
    if (number >= KILLS - 2) return this.#late(child);
    if (this.#random.next() < 0.15) return this.#early(child);
    const part = (number + this.#random.next()) / (KILLS - 2);
    await child.when((line) => {
      const [phase, done = '', total] = line.split(' ');
      if (phase !== 'apply') return false;
      const settled = (this.#settled ??= Number(done));
      return Number(done) >= settled + part * (Number(total) - settled);
    });
    await sleep(this.#random.next() * 10);
  }

  async #early(child: Child): Promise<void> {
    await child.until('started');
    await sleep(this.#random.next() * 600);
  }

  /** Everything is written, or nearly. */
  async #late(child: Child): Promise<void> {
    await child.until(this.#random.pick(['apply', 'verify']));
    await sleep(this.#random.next() * 50);
  }
}

describe('a restore that is killed at any moment, again and again', () => {
  it.each(SITES)('ends, when it is left alone, as if it had never been killed: $name', { timeout: 600_000 }, async (options) => {
    const moments = new Moments(randomOfTest());
    await using place = await openPlace(options);
    let next = await startRestore(place);
    try {
      for (let kills = 0; kills < KILLS; ) {
        const child = next;
        await child.until('ready');
        // The next one starts meanwhile, and waits until it is told.
        next = await startRestore(place);
        child.tell();
        await Promise.race([moments.wait(child, kills), child.ended]);
        const { signal } = await child.kill();
        if (signal === 'SIGKILL') kills += 1;
      }
      await next.until('ready');
      next.tell();
      const { lines } = await next.finished();
      const report = JSON.parse(lines.at(-1)?.replace(/^report /, '') ?? 'null') as RestoreReport;
      expect(troubles(report)).toEqual([]);
      expect(report).toMatchObject({ ok: true, objects: { failed: 0, conflict: 0, unsupported: 0, kept: 0 }, verify: { different: 0, missing: 0 } });
    } finally {
      await next.kill();
    }
    expect(await differencesTo(source, place)).toEqual([]);
    expect(await differencesTo(uninterrupted.get(options.controllers) ?? source, place)).toEqual([]);
  });
});

describe('two restores of one point into one site at the same time', () => {
  it('both end with everything there', async () => {
    await using place = await openPlace({ name: 'twice', controllers: true });
    // What one makes, the other finds; also when guards refuse first, which the quicker one has put up already.
    const reports = await Promise.all([restoreInto(place, source, { patienceMs: 60_000 }), restoreInto(place, source, { patienceMs: 60_000 })]);
    for (const report of reports) {
      expect(troubles(report)).toEqual([]);
      expect(report).toMatchObject({ ok: true, objects: { failed: 0, conflict: 0, unsupported: 0, kept: 0 } });
    }
    expect(await differencesTo(source, place)).toEqual([]);
  });
});
