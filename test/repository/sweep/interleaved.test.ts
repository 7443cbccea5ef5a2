import { describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../../src/core/errors.ts';
import { findLivePoints, openReader, removePoint, sweep, verify } from '../../../src/repository/index.ts';
import { backUp, expectSame, madeUpList, makeScene, readBack, testClock } from '../scene.ts';
import { requireWhole, seeded, Stage } from './interleaved.ts';

const HOUR = 3_600_000;
/** One seed, to look at: `SEED=17 npm test -- test/repository/sweep/interleaved`. More of them: `SEEDS=500`. */
const SEEDS = process.env['SEED'] === undefined ? Array.from({ length: Number(process.env['SEEDS'] ?? 5) }, (_, i) => i + 1) : [Number(process.env['SEED'])];
/** What an actor may end with. */
const EXPECTED: ReadonlySet<string> = new Set(['LB_REPO_BUSY', 'LB_BACKUP_TOO_LONG', 'LB_POINT_NOT_FOUND', 'LB_VAULT_OBJECT_MISSING']);

describe('backups, sweeps and removals at the same time, some of them killed', () => {
  it.each(SEEDS)('leave every point whole that was not removed, after every single step: seed %i', async (seed) => {
    const random = seeded(seed);
    const clock = testClock();
    const scene = await makeScene('a', 'b');
    const { keys, vaults } = scene;
    const stage = new Stage(random, () => clock.now());
    const contents = new Map<string, number>();
    const known = new Map<string, readonly string[]>();
    const bugs: unknown[] = [];
    const onError = (error: unknown): void => {
      if (!isLifeboatError(error) || !EXPECTED.has(error.code)) bugs.push(error);
    };
    const records = (generation: number) => madeUpList(12, { generation: (number) => (number % 4 === generation % 4 ? generation : generation % 3), bytes: 400 });
    let generations = 0;
    const begin = (): void => {
      const what = random();
      if (what < 0.5) {
        const generation = ++generations;
        stage.act(vaults, true, async (mine) => {
          const { header } = await backUp({ vaults: mine, keys }, { all: records(generation) }, { clock });
          contents.set(header.id, generation);
        }, onError);
      } else if (what < 0.8) stage.act(vaults, false, (mine) => sweep({ vaults: mine, key: keys, clock }), onError);
      else {
        stage.act(vaults, false, async (mine) => {
          const points = await findLivePoints(mine, undefined, keys, {});
          const point = points.slice(0, -1)[Math.floor(random() * (points.length - 1))];
          if (point !== undefined) await removePoint(mine, keys, point, 'a test', { clock });
        }, onError);
      }
    };
    for (let step = 0; step < 700; step++) {
      if (stage.alive.length < 3 && random() < 0.3) begin();
      // A backup that takes longer than the grace period is what the sweep does not promise to survive.
      if (random() < 0.04 && stage.alive.every((actor) => !actor.isBackup || clock.now() - actor.began < 36 * HOUR)) clock.advance(Math.floor(random() * 10 * HOUR));
      if (random() < 0.004) stage.kill();
      await stage.step();
      requireWhole(vaults, keys, known);
      expect(bugs).toEqual([]);
    }
    while (stage.alive.length > 0) if (!(await stage.step())) break;
    requireWhole(vaults, keys, known);
    expect(bugs).toEqual([]);
    const reader = await openReader({ vaults, keys });
    for (const { id } of await reader.listPoints()) {
      const generation = contents.get(id);
      const read = await readBack(await reader.open(id));
      if (generation !== undefined) expectSame(read, { all: records(generation) });
    }
    // In the end nothing is left but what is needed.
    for (let round = 0; round < 4; round++) {
      clock.advance(49 * HOUR);
      await sweep({ vaults, key: keys, clock });
    }
    const { findings, unreferenced } = await verify({ vaults, keys, depth: 'data' });
    expect({ findings: findings.filter(({ kind }) => kind !== 'missing'), unreferenced }).toEqual({ findings: [], unreferenced: 0 });
  });
});
