import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openQueue } from '../../src/queue/index.ts';
import { job, until } from './working.ts';

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

  it('that the system does not allow anywhere is named at once', async () => {
    const where = '/proc/lifeboat/queue';
    await expect(openQueue({ type: 'embedded', folder: where })).rejects.toMatchObject({ code: 'LB_QUEUE_ACCESS', where });
  });

  it('is left alone by who had it open when it was removed, and somebody else has made it anew', async () => {
    const folder = join(await place(), 'queue');
    const first = await openQueue({ type: 'embedded', folder });
    await first.add(job('one'));
    await rm(folder, { recursive: true });
    await using second = await openQueue({ type: 'embedded', folder });
    await second.add(job('two'));
    const refused = async (): Promise<unknown> => await first.counts().catch((error: unknown) => error);
    await until('the first notices', async () => (await refused()) instanceof Error);
    expect(await refused()).toMatchObject({ code: 'LB_QUEUE_UNSUITABLE', where: folder, message: expect.stringContaining('removed or replaced') as string });
    await first.close();
    await second.close();
    await using again = await openQueue({ type: 'embedded', folder });
    expect(await again.status('two')).toMatchObject({ job: { id: 'two' } });
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
