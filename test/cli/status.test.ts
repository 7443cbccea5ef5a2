import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { statusDocument } from './documents.ts';
import { keptHome } from './kept-home.ts';

const PROMISES = 'schedule: {every: 5m}, objectives: {rpo: 15m, rto: 10m}';

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

describe('lifeboat status', () => {
  it('says that a plan with a new safe point is on time', async () => {
    const { home, point } = await keptHome(`prod: {site: prod, vaults: [near, far], copies: 2, ${PROMISES}}`);
    const id = await point('prod', minutesAgo(1));
    const { plans, vaults } = await home.json(statusDocument, 0, ['status']);
    expect(plans).toMatchObject([{ plan: 'prod', onTime: true, safe: { id, vaults: ['near', 'far'] }, rpo: { objectiveSeconds: 900 }, rto: { objectiveSeconds: 600 } }]);
    expect(vaults).toMatchObject([{ vault: 'near', reachable: true }, { vault: 'far', reachable: true }]);
    const { code, stdout } = await home.run(['status']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^prod +prod +yes/m);
  });

  it('ends with 3 when the newest point is not in as many vaults as make it safe, and the safe one is too old', async () => {
    const { home, point } = await keptHome(`prod: {site: prod, vaults: [near, far], copies: 2, ${PROMISES}}`);
    const old = await point('prod', minutesAgo(40));
    const newest = await point('prod', minutesAgo(1));
    await rm(home.path(`far/points/prod/${newest}`));
    const { plans } = await home.json(statusDocument, 3, ['status']);
    expect(plans).toMatchObject([
      {
        onTime: false,
        safe: { id: old },
        rpo: { met: false },
        vaults: [{ vault: 'near', point: { id: newest } }, { vault: 'far', point: { id: old } }],
        schedules: [{ kind: 'backup', met: true }],
      },
    ]);
    const { code, stdout } = await home.run(['status']);
    expect(code).toBe(3);
    expect(stdout).toContain('prod: the newest safe point is older than promised');
  });

  it('ends with 3 when a backup was due and did not happen, also of a plan without objectives', async () => {
    const { home, point } = await keptHome('prod: {site: prod, vaults: [near, far], schedule: {every: 5m}}, edge: {site: edge, vaults: [near]}');
    await point('prod', minutesAgo(60));
    await point('edge', minutesAgo(6000));
    const { plans } = await home.json(statusDocument, 3, ['status']);
    expect(plans.map(({ plan, onTime }) => [plan, onTime])).toEqual([
      ['prod', false],
      ['edge', true],
    ]);
    expect(plans[0]?.schedules).toMatchObject([{ kind: 'backup', met: false }]);
    expect((await home.json(statusDocument, 0, ['status', 'edge'])).plans).toHaveLength(1);
    expect((await home.run(['status', 'none'])).code).toBe(2);
  });

  it('does not say that a point is lost because a vault is away, and does not call it well either', async () => {
    const { home, point } = await keptHome(`prod: {site: prod, vaults: [near, far], copies: 2, ${PROMISES}}`);
    await point('prod', minutesAgo(1));
    await rm(home.path('far'), { recursive: true });
    const { plans, vaults } = await home.json(statusDocument, 3, ['status']);
    expect(plans).toMatchObject([{ onTime: false, problem: expect.stringContaining('far') as string }]);
    expect(plans[0]?.rpo.met).toBeUndefined();
    expect(vaults).toMatchObject([{ vault: 'near', reachable: true }, { vault: 'far', reachable: false }]);
  });
});
