import { describe, expect, it } from 'vitest';
import { scheduled } from '../../src/functions/handlers/scheduled.ts';
import type { ScheduleTrigger } from '../../src/functions/trigger.ts';
import { testSurroundings } from './surroundings.ts';

function ring(at: string, plan?: string): ScheduleTrigger {
  return { trigger: 'schedule', id: `ring-${at}`, at: Date.parse(at), detail: plan === undefined ? {} : { plan } };
}

describe('a schedule that rings', () => {
  it('hands over the job of its slot', async () => {
    const surroundings = await testSurroundings();
    const outcome = await scheduled('backup')(ring('2026-11-26T14:15:03Z', 'shop'), surroundings);
    expect(outcome).toEqual({ new: ['backup.shop.20261126T141500Z'], known: [] });
    expect(await surroundings.queue.jobs()).toEqual([
      { kind: 'backup', id: 'backup.shop.20261126T141500Z', plan: 'shop', requestedBy: 'schedule', at: '2026-11-26T14:15:03.000Z', slot: '2026-11-26T14:15:00.000Z' },
    ]);
  });

  it('hands one job over when it rings twice', async () => {
    const surroundings = await testSurroundings();
    await scheduled('backup')(ring('2026-11-26T14:15:03Z', 'shop'), surroundings);
    const again = await scheduled('backup')(ring('2026-11-26T14:16:30Z', 'shop'), surroundings);
    expect(again).toEqual({ new: [], known: ['backup.shop.20261126T141500Z'] });
    expect(await surroundings.queue.jobs()).toHaveLength(1);
  });

  it('means the slot that comes when it rings a moment early', async () => {
    const surroundings = await testSurroundings();
    const outcome = await scheduled('backup')(ring('2026-11-26T14:14:59.200Z', 'shop'), surroundings);
    expect(outcome.new).toEqual(['backup.shop.20261126T141500Z']);
  });

  it('finds the slot in the time zone of the plan, in winter and in summer', async () => {
    const surroundings = await testSurroundings();
    const drill = scheduled('drill');
    expect((await drill(ring('2026-11-26T02:00:01Z', 'shop'), surroundings)).new).toEqual(['drill.shop.20261126T020000Z']);
    expect((await drill(ring('2026-07-01T01:00:01Z', 'shop'), surroundings)).new).toEqual(['drill.shop.20260701T010000Z']);
  });

  it('needs no plan where only one can be meant, and none for what is of all plans', async () => {
    const surroundings = await testSurroundings();
    expect((await scheduled('verify')(ring('2026-11-26T03:00:00Z'), surroundings)).new).toEqual(['verify.shop.20261126T030000Z']);
    expect((await scheduled('retain')(ring('2026-11-26T00:00:02Z'), surroundings)).new).toEqual(['retain.20261126T000000Z']);
  });

  it.each([
    ['backup', undefined, 'does not say for which plan'],
    ['backup', 'gone', 'There is no plan `gone`'],
    ['drill', 'archive', 'has no schedule of this kind'],
  ] as const)('refuses %s of the plan %s with a clear error', async (kind, plan, message) => {
    const surroundings = await testSurroundings();
    await expect(scheduled(kind)(ring('2026-11-26T14:15:03Z', plan), surroundings)).rejects.toMatchObject({ code: 'LB_EVENT_INVALID', message: expect.stringContaining(message) as string });
    expect(await surroundings.queue.jobs()).toEqual([]);
  });
});
