import { describe, expect, it } from 'vitest';
import { monthlyCost, PRICE_TABLES } from '../../src/placement/cost/cost.ts';
import type { Usage } from '../../src/placement/cost/cost.ts';
import { tieredUsd } from '../../src/placement/cost/price-table.ts';

const GIB = 2 ** 30;
const usage: Usage = { stored: 1000 * GIB, addedPerDay: 0, backupsPerDay: 24, points: 100 };
const near = { name: 'near', type: 's3', domain: { cloud: 'aws', region: 'us-east-1' } };

describe('the price tables', () => {
  it('say where each is from and when it was entered', () => {
    for (const { source, entered, basis } of PRICE_TABLES) {
      expect(source).toMatch(/^https:\/\/\S+$/);
      expect(entered).toMatch(/^\d{4}-\d\d-\d\d$/);
      expect(basis.length).toBeGreaterThan(20);
    }
  });

  it('have tiers that rise to one without an end, and no price that is nothing but the free part of egress', () => {
    const regions = PRICE_TABLES.flatMap((table) => Object.values(table.regions));
    expect(regions.length).toBeGreaterThan(25);
    for (const { storage, egress, writes, reads } of regions) {
      for (const tiers of [storage, egress]) {
        const ends = tiers.map(({ upTo }) => upTo ?? Number.POSITIVE_INFINITY);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
        expect(ends.at(-1)).toBe(Number.POSITIVE_INFINITY);
      }
      const prices = [...storage.map(({ usd }) => usd), ...egress.slice(1).map(({ usd }) => usd), writes, reads];
      expect(Math.min(...prices)).toBeGreaterThan(0);
    }
  });

  it('charge each part of an amount by its own tier', () => {
    const tiers = [{ upTo: 10, usd: 1 }, { upTo: 20, usd: 0.5 }, { usd: 0.1 }];
    expect(tieredUsd(5 * GIB, tiers)).toBeCloseTo(5);
    expect(tieredUsd(25 * GIB, tiers)).toBeCloseTo(10 + 5 + 0.5);
    expect(tieredUsd(0, tiers)).toBe(0);
  });
});

describe('what a month costs', () => {
  it('is what is stored, the requests of its backups, and apart from it one restore', () => {
    const { vaults } = monthlyCost(usage, [near], near.domain);
    // 1000 GiB at 0.023; 720 backups with a pack, 2 other objects and 6 listings each, that read 100 points and half of the month’s; 900 GiB beyond the free 100 at 0.09.
    expect(vaults).toMatchObject([{ name: 'near', storage: 23, requests: expect.closeTo((720 * 9 * 0.005 + 720 * (10 + 100 + 360) * 0.0004) / 1000) as number, restore: expect.closeTo(81.03, 2) as number }]);
  });

  it('counts half of what the month adds', () => {
    const [grown] = monthlyCost({ ...usage, addedPerDay: 10 * GIB }, [near], near.domain).vaults;
    expect(grown).toMatchObject({ storage: expect.closeTo(1150 * 0.023) as number });
  });

  it('is unknown where there are no prices, never nothing', () => {
    const { vaults } = monthlyCost(
      usage,
      [
        { name: 'folder', type: 'directory', domain: { cloud: 'aws', region: 'us-east-1' } },
        { name: 'other', type: 's3', domain: { cloud: 'example', region: 'one' } },
        { name: 'nowhere', type: 's3', domain: {} },
        { name: 'new', type: 's3', domain: { cloud: 'aws', region: 'mars-north-1' } },
      ],
      {},
    );
    expect(vaults).toEqual([
      { name: 'folder', unknown: 'what a folder costs only you know' },
      { name: 'other', unknown: 'no price table for example' },
      { name: 'nowhere', unknown: 'its cloud is not given' },
      { name: 'new', unknown: 'no prices for region mars-north-1 of aws' },
    ]);
  });

  it('has what is sent to vaults outside the sender’s region', () => {
    const far = { name: 'far', type: 's3', domain: { cloud: 'gcp', region: 'europe-west3' } };
    const added = { ...usage, addedPerDay: 10 * GIB };
    expect(monthlyCost(added, [near], near.domain).sending).toEqual({ from: 'aws/us-east-1', bytes: 0, usd: 0 });
    expect(monthlyCost(added, [near, far], near.domain).sending).toMatchObject({ bytes: 300 * GIB, usd: expect.closeTo(200 * 0.09) as number });
    expect(monthlyCost(added, [near, far], { cloud: 'own' }).sending).toEqual({ unknown: 'no price table for own' });
  });
});
