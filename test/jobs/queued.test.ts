import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import { slotBefore } from '../../src/core/schedule.ts';
import { recurringOf } from '../../src/jobs/due.ts';
import { slotJob } from '../../src/jobs/job.ts';
import { fromQueued, toQueued, toQueuedSchedule } from '../../src/jobs/queued.ts';
import { slotId } from '../../src/queue/schedule.ts';
import { FIXTURE } from '../functions/surroundings.ts';

const NOW = Date.parse('2026-11-26T14:03:00Z');

let config: Config;
beforeAll(async () => {
  config = parseConfig(await readFile(join(FIXTURE, 'lifeboat.yaml'), 'utf8'), 'lifeboat.yaml');
});

describe('what a schedule of the queue makes', () => {
  it('is the very job that whoever finds the slot due puts in, as urgent, and limited with the same site', () => {
    const all = recurringOf(config);
    expect(all.length).toBeGreaterThan(0);
    for (const recurring of all) {
      const slot = slotBefore(recurring.schedule, NOW) ?? 0;
      const due = toQueued(slotJob(recurring.kind, recurring.plan, slot, slot), config);
      const { id, job } = toQueuedSchedule(recurring);
      expect(slotId(id, slot)).toBe(due.job.id);
      expect({ site: job.site, priority: job.priority }).toEqual({ site: due.job.site, priority: due.options.priority });
      expect(fromQueued({ id: due.job.id, kind: job.kind, data: job.data })).toEqual(fromQueued(due.job));
    }
  });
});
