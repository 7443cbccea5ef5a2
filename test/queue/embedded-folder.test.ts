import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openQueue } from '../../src/queue/index.ts';
import { job } from './working.ts';

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-queue-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('the folder of the embedded queue', () => {
  it('that cannot be made is named, with what to do', async () => {
    const file = join(await place(), 'file');
    await writeFile(file, '');
    const where = join(file, 'queue');
    await expect(openQueue({ type: 'embedded', folder: where })).rejects.toMatchObject({ code: 'LB_QUEUE_ACCESS', where, hint: expect.stringContaining('queue.path') as string });
  });

  it('that is damaged is named, and is made anew when it was moved away', async () => {
    const folder = join(await place(), 'queue');
    await mkdir(join(folder, 'data'), { recursive: true });
    await writeFile(join(folder, 'data', 'PG_VERSION'), 'not one');
    const opening = openQueue({ type: 'embedded', folder });
    await expect(opening).rejects.toMatchObject({ code: 'LB_QUEUE_UNSUITABLE', where: folder, hint: expect.stringContaining('Move the folder away') as string });
    await rm(folder, { recursive: true });
    await using queue = await openQueue({ type: 'embedded', folder });
    await queue.add(job('one'));
    expect(await queue.counts()).toMatchObject({ waiting: 1 });
  });
});
