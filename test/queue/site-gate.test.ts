import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SiteGate } from '../../src/queue/site-gate.ts';
import type { Arrival } from '../../src/queue/site-limits.ts';

/** A server and its clock, in memory: jobs wait in line, are held back until a time, run, and end. */
class Line {
  now = 0;
  readonly waiting: Arrival[] = [];
  readonly held = new Map<string, { job: Arrival; until: number }>();
  readonly running: { job: Arrival; until: number }[] = [];
  readonly order: string[] = [];
  most = new Map<string, number>();
  looks = 0;

  constructor(jobs: readonly Arrival[]) {
    this.waiting.push(...jobs);
  }
}

/** Runs all jobs with so many places, and gives how it went. Those of sites in `stuck` never end. */
async function simulate(jobs: readonly { site: string; ms: number }[], places: number, limit: number, stuck: ReadonlySet<string>): Promise<Line> {
  const lengths = new Map(jobs.map(({ ms }, i) => [`j${i}`, ms]));
  const line = new Line(jobs.map(({ site }, i) => ({ id: `j${i}`, site, priority: 50, addedAt: i, since: 0 })));
  const gate = new SiteGate(() => ({ concurrency: limit }), {
    activeElsewhere: async () => 0,
    call: async (id) => {
      const one = line.held.get(id);
      line.held.delete(id);
      if (one !== undefined) line.waiting.push(one.job);
    },
    now: () => line.now,
  });
  const finite = jobs.filter(({ site }) => !stuck.has(site)).length;
  while (line.order.length < finite) {
    for (const [id, { job, until }] of line.held) {
      if (until > line.now) continue;
      line.held.delete(id);
      line.waiting.push(job);
    }
    while (line.running.length < places) {
      const job = line.waiting.shift();
      if (job === undefined) break;
      line.looks += 1;
      const admitted = await gate.admit(job, async (ms) => {
        line.held.set(job.id, { job, until: line.now + ms });
      });
      if (!admitted) continue;
      line.running.push({ job, until: stuck.has(job.site) ? Infinity : line.now + (lengths.get(job.id) ?? 0) });
      const ofSite = line.running.filter((one) => one.job.site === job.site).length;
      line.most.set(job.site, Math.max(line.most.get(job.site) ?? 0, ofSite));
    }
    const next = Math.min(...line.running.map(({ until }) => until), ...[...line.held.values()].map(({ until }) => until));
    if (!Number.isFinite(next)) break;
    line.now = next;
    for (const one of line.running.filter(({ until }) => until <= line.now)) {
      line.running.splice(line.running.indexOf(one), 1);
      line.order.push(one.job.id);
      gate.left(one.job.site);
      await gate.ended(one.job.site);
    }
  }
  return line;
}

const jobs = fc.array(fc.record({ site: fc.constantFrom('a', 'b', 'c', 'd', 'e'), ms: fc.integer({ min: 1, max: 5_000 }) }), { minLength: 1, maxLength: 80 });

describe('the limits of sites', () => {
  it('are kept, and every job of a site that does not hang gets done', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 3 }), fc.subarray(['a', 'b'] as const), async (all, limit, hanging) => {
        const stuck = new Set<string>(hanging);
        // More places than can hang at once, as the documentation asks for.
        const line = await simulate(all, stuck.size * limit + 1, limit, stuck);
        expect(line.order).toHaveLength(all.filter(({ site }) => !stuck.has(site)).length);
        expect([...line.most.values()].every((most) => most <= limit)).toBe(true);
      }),
    );
  });

  it('let a site with many jobs, or one that hangs, delay others by no more than they delay each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.boolean(), async (many, hangs) => {
        const big = Array.from({ length: many }, () => ({ site: 'big', ms: 60_000 }));
        const others = ['a', 'b', 'c', 'd'].map((site) => ({ site, ms: 10 }));
        const line = await simulate([...big, ...others], 3, 1, hangs ? new Set(['big']) : new Set());
        const ends = line.order.filter((id) => Number(id.slice(1)) >= many);
        expect(ends).toHaveLength(4);
        // With two places left they are done before the first of the big site is.
        expect(line.order.slice(0, 4)).toEqual(ends);
      }),
      { numRuns: 30 },
    );
  });

  it('have each job that waits looked at about twice a minute, however many there are', async () => {
    const hanging = Array.from({ length: 500 }, () => ({ site: 'big', ms: 1 }));
    const line = await simulate([...hanging, { site: 'a', ms: 100_000 }], 2, 1, new Set(['big']));
    // A hundred seconds.
    expect(line.looks).toBeLessThan(501 + 500 * 4);
  });
});
