import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { PRICE_TABLES } from '../../src/placement/cost/cost.ts';
import { placedPlan } from '../../src/placement/from-config.ts';
import { assess } from '../../src/placement/survival.ts';

const page = await readFile(new URL('../../docs/placement.md', import.meta.url), 'utf8');

describe('docs/placement.md', () => {
  it('has an example that is accepted and keeps its promise', () => {
    const config = parseConfig(/```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '', 'lifeboat.yaml');
    const plans = [...config.plans.values()].map((plan) => assess(placedPlan(config, plan).topology).holds);
    expect(plans).toEqual([true]);
  });

  it('counts the regions of every price table', () => {
    const counted = [...page.matchAll(/^\| ([^|]+) \| (\d+) \|$/gm)].map(([, store, count]) => [store?.replace('hot, locally redundant', 'hot, LRS').replace('Storage, hot', 'Storage hot'), Number(count)]);
    expect(counted).toEqual(PRICE_TABLES.map(({ store, regions }) => [store, Object.keys(regions).length]));
  });

  it('gives page and dates of every price table', () => {
    for (const { source, entered, compared } of PRICE_TABLES) expect(page).toContain(`| ${source} | ${entered} | ${compared.on}: `);
  });
});
