import { beforeEach, describe, expect, it } from 'vitest';
import { maintainKeyOf, writeKeyOf } from '../../src/keys/index.ts';
import { findLivePoints, newestPoints, removePoint } from '../../src/repository/index.ts';
import type { KnownHeads } from '../../src/repository/index.ts';
import { encodePackTable } from '../../src/repository/pack-table.ts';
import { decodePoint, encodePoint } from '../../src/repository/point.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, makeScene, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

const HOUR = 3_600_000;

let scene: Scene;
let clock: ReturnType<typeof testClock>;
beforeEach(async () => {
  scene = await makeScene('near', 'far', 'third');
  clock = testClock();
});

async function point(site = 'prod', vaults = scene.vaults): Promise<string> {
  clock.advance(HOUR);
  return (await backUp(scene, { all: [site, String(clock.now())] }, { site, clock, vaults })).header.id;
}

/** The newest point of each vault, and the newest safe one with its vaults. */
async function look({ site = 'prod', copies = 2, known = new Map(), vaults = scene.vaults }: { site?: string; copies?: number; known?: KnownHeads; vaults?: readonly MemoryVault[] } = {}) {
  const [found] = await newestPoints(vaults, [{ site, vaults: ['near', 'far', 'third'], copies }], known, {});
  return { ...Object.fromEntries([...(found?.inVaults ?? [])].map(([vault, { id }]) => [vault, id])), safe: found?.safe && [found.safe.header.id, ...found.safe.vaults].join(' ') };
}

function vault(name: string): MemoryVault {
  return there(scene.vaults.find((one) => one.name === name));
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not there');
  return value;
}

describe('the newest points', () => {
  it('are those of each vault, and the newest that is in enough of them', async () => {
    const first = await point();
    const second = await point('prod', [vault('near'), vault('far')]);
    const third = await point('prod', [vault('near')]);
    expect(await look()).toEqual({ near: third, far: second, third: first, safe: `${second} near far` });
    expect(await look({ copies: 1 })).toMatchObject({ safe: `${third} near` });
    expect(await look({ copies: 3 })).toMatchObject({ safe: `${first} near far third` });
    expect(await look({ site: 'edge' })).toEqual({ safe: undefined });
  });

  it('are told of several sites at once, each in the vaults of its own plan', async () => {
    const [prod, edge] = [await point('prod'), await point('edge')];
    const found = await newestPoints(
      scene.vaults,
      [
        { site: 'prod', vaults: ['near', 'far'], copies: 2 },
        { site: 'edge', vaults: ['third'], copies: 1 },
        { site: 'edge', vaults: ['near', 'gone'], copies: 2 },
      ],
      new Map(),
      {},
    );
    expect(found.map(({ inVaults, safe }) => [[...inVaults.keys()], safe?.header.id])).toEqual([
      [['near', 'far'], prod],
      [['third'], edge],
      [['near'], undefined],
    ]);
  });

  it('are none that was removed, in whatever vault that is known', async () => {
    const [first, second] = [await point(), await point()];
    const key = maintainKeyOf(scene.keys);
    const found = (await findLivePoints(scene.vaults, 'prod', key, {})).find(({ id }) => id === second);
    await removePoint([vault('far')], key, there(found), 'a test', { clock });
    expect(await look()).toEqual({ near: first, far: first, third: first, safe: `${first} near far third` });
  });

  it('are none that is damaged, and none safe of which vaults hold different ones', async () => {
    const [first, second] = [await point(), await point()];
    const key = `points/prod/${second}`;
    vault('third').objects.set(key, Buffer.from('nonsense'));
    expect(await look()).toEqual({ near: second, far: second, third: first, safe: `${second} near far` });
    const { repositoryId, signingPublicKey, signingKey } = writeKeyOf(scene.keys);
    const genuine = decodePoint(vault('near').objects.get(key) ?? new Uint8Array(), { repositoryId, site: 'prod', id: second }, signingPublicKey);
    vault('far').objects.set(key, encodePoint({ ...genuine, repositoryId, packTable: encodePackTable([]), indexes: [] }, signingKey));
    expect(await look()).toMatchObject({ safe: `${first} near far third` });
  });

  it('that were seen before are not read again, and are forgotten when they are no more', async () => {
    const known: KnownHeads = new Map();
    await point();
    await look({ known });
    let reads = 0;
    for (const one of scene.vaults) one.interfere = (operation, key) => void (operation === 'get' && key.startsWith('points/') && reads++);
    await look({ known });
    expect(reads).toBe(0);
    const second = await point();
    reads = 0;
    expect(await look({ known })).toMatchObject({ safe: `${second} near far third` });
    expect(reads).toBe(3);
    expect([...known.keys()].filter((key) => !key.endsWith(second))).toEqual([]);
  });

  it('are told without a vault that is away, and not at all when all are', async () => {
    const id = await point();
    const away = (): never => {
      throw new Error('away');
    };
    vault('near').interfere = away;
    expect(await look()).toEqual({ far: id, third: id, safe: `${id} far third` });
    for (const one of scene.vaults) one.interfere = away;
    await expect(look()).rejects.toThrow('away');
  });
});
