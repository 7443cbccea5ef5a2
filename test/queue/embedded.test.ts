import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue } from '../../src/queue/index.ts';
import type { BullQueue } from '../../src/queue/index.ts';
import { queueContract } from './contract.ts';

queueContract('PGlite in this process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-queue-'));
  let opened: Promise<BullQueue> | undefined;
  return {
    open: async () => await (opened ??= openQueue({ type: 'embedded', folder })),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
});
