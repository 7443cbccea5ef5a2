import { describe, expect, it } from 'vitest';
import { ActiveJobs } from '../../src/queue/active-jobs.ts';
import type { StoredJob, StoredQueue } from '../../src/queue/stored.ts';

interface Other {
  readonly id: string;
  readonly site: string;
  /** When it became active, by the clock of its worker. */
  readonly processedOn: number;
  /** It is put back after the list of active jobs was read so often. */
  readonly looks?: number;
}

/** In place of the server: a list of active jobs that does not say in which order they became so. */
function serverWith(...others: readonly Other[]): StoredQueue {
  let looks = 0;
  const double: Pick<StoredQueue, 'getRanges' | 'getJob'> = {
    getRanges: async () => {
      looks += 1;
      return others.filter((other) => looks <= (other.looks ?? Infinity)).map(({ id }) => id);
    },
    getJob: async (id) => {
      const other = others.find((one) => one.id === id);
      return other === undefined ? undefined : ({ processedOn: other.processedOn, data: { site: other.site, data: null } } as StoredJob);
    },
  };
  return double as StoredQueue;
}

const job = { id: 'mine', site: 'here', priority: 50, addedAt: 0, since: 1_000 };

function elsewhere(...others: readonly Other[]): Promise<number> {
  const active = new ActiveJobs(serverWith(...others), false);
  active.here(job.id, job.site);
  return active.elsewhere(job, 1);
}

describe('jobs of a site that are active elsewhere, where the server does not say in which order they became so', () => {
  it('count when they became so before', async () => {
    expect(await elsewhere({ id: 'a', site: 'here', processedOn: 999 })).toBe(1);
    expect(await elsewhere({ id: 'a', site: 'here', processedOn: 1_000 })).toBe(1);
  });

  it('count when they became so later by the clock and still are a little later: they may not have seen this one', async () => {
    expect(await elsewhere({ id: 'a', site: 'here', processedOn: 1_001 })).toBe(1);
  });

  it('do not count when they became so later and were put back', async () => {
    expect(await elsewhere({ id: 'a', site: 'here', processedOn: 1_001, looks: 2 })).toBe(0);
  });

  it('do not count when they are of another site', async () => {
    expect(await elsewhere({ id: 'a', site: 'there', processedOn: 1 })).toBe(0);
  });
});
