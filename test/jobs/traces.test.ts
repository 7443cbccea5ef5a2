import { describe, expect, it } from 'vitest';
import { keptHome } from '../cli/kept-home.ts';
import { collecting, spansOf, workOff, workProcess } from './tracing.ts';

// There is no cluster: a backup fails at once, and is tried again when somebody says so.
const PLANS = 'prod: {site: prod, vaults: [near, far], schedule: {every: 30d}}';

describe('a job that a schedule makes', () => {
  it('begins a trace, in which all its steps are, in whatever process', async () => {
    const collector = await collecting();
    const { home } = await keptHome(PLANS);
    for (const process of [1, 2]) {
      const working = await workProcess(home, collector);
      const [parked] = await working.queue.parked();
      if (parked !== undefined) await working.queue.retryParked(parked.job.id);
      await workOff(working, process === 1);
      await working.close();
    }
    const [submit, ...more] = spansOf(collector, 'submit backup');
    expect(more).toEqual([]);
    expect(submit).toMatchObject({ parentSpanId: undefined, kind: 4, attributes: { 'lifeboat.job.kind': 'backup', 'lifeboat.slot': expect.any(String) as string } });
    expect(spansOf(collector, 'wait in the queue')).toHaveLength(2);
    expect(spansOf(collector, 'backup step')).toHaveLength(2);
    for (const span of spansOf(collector, 'wait in the queue', 'backup step')) expect(span).toMatchObject({ traceId: submit?.traceId, parentSpanId: submit?.spanId });
  });

  it('carries no trace where none are made', async () => {
    const { home } = await keptHome(PLANS);
    const working = await workProcess(home);
    await workOff(working, true);
    const [parked] = await working.jobs.list();
    expect(parked).toMatchObject({ state: 'failed', job: { kind: 'backup', requestedBy: 'schedule' } });
    expect(parked?.job).not.toHaveProperty('traceparent');
    await working.close();
  });
});
