import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { BullQueue } from '../../src/queue/index.ts';
import { jobsContract } from './contract-jobs.ts';
import { sitesContract } from './contract-sites.ts';
import { stepsContract } from './contract-steps.ts';

/** A server of queues, for tests. */
export interface QueuePlace extends AsyncDisposable {
  /** Opens the queue once more, as another process would. An embedded one is the same again, and is not closed. */
  open(): Promise<BullQueue>;
}

/** The queue that is tested, and the same as somebody in another process has it open. */
export interface Opened {
  readonly queue: BullQueue;
  readonly other: BullQueue;
}

/** What holds for the queue wherever it is kept. `start` gives the reason when it cannot be started on this machine. */
export function queueContract(name: string, start: () => Promise<QueuePlace | string>): void {
  describe(`the queue on ${name}`, () => {
    let place: QueuePlace | string = 'not started';
    const opened: Partial<{ queue: BullQueue; other: BullQueue }> = {};
    beforeAll(async () => {
      place = await start();
      if (typeof place === 'string') return;
      opened.queue = await place.open();
      opened.other = await place.open();
    });
    beforeEach((ctx) => {
      if (typeof place === 'string') ctx.skip(place);
    });
    afterEach(async () => {
      await opened.queue?.schedule([]);
      await opened.queue?.jobs.obliterate({ force: true });
    });
    afterAll(async () => {
      await opened.other?.close();
      await opened.queue?.close();
      if (typeof place !== 'string') await place[Symbol.asyncDispose]();
    });
    // They are opened before any test runs.
    jobsContract(opened as Opened);
    stepsContract(opened as Opened);
    sitesContract(opened as Opened);
  });
}
