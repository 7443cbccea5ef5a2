import { rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { jobDocument, jobsDocument } from './documents/jobs.ts';
import { pointsDocument } from './documents/points.ts';
import { edit, furnish, makeHome } from './home.ts';
import type { Home } from './home.ts';

let site: Site;
let home: Home;
beforeAll(async () => {
  site = await startSite({ name: 'prod', controllers: false });
  await furnish(site, 'shop');
  home = await makeHome(site);
  await edit(home, 'lifeboat.yaml', /^ {4}site: \S+\n/m, '$&    schedule: { every: 30d }\n');
});
afterAll(async () => {
  await site?.stop();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

describe('lifeboat worker --once and lifeboat jobs', () => {
  it('do what is due and end; what fails is parked with the reason, tried again when it is put right, and cannot be done twice', async () => {
    expect((await home.json(jobsDocument, 0, ['jobs'])).jobs).toEqual([]);
    await rename(home.path('lifeboat-write.key'), home.path('away.key'));
    expect((await home.run(['worker', '--once'])).code).toBe(0);
    const [parked] = (await home.json(jobsDocument, 0, ['jobs', '--state', 'failed'])).jobs;
    expect(parked).toMatchObject({ job: { kind: 'backup', requestedBy: 'schedule' }, failure: { code: 'LB_KEY_MISSING' } });
    const id = parked?.job.id ?? '';
    expect((await home.json(jobDocument, 4, ['jobs', id])).job?.state).toBe('failed');

    await rename(home.path('away.key'), home.path('lifeboat-write.key'));
    expect((await home.json(jobDocument, 0, ['jobs', id, '--retry'])).job?.state).toBe('waiting');
    expect((await home.run(['worker', '--once'])).code).toBe(0);
    expect((await home.json(jobDocument, 0, ['jobs', id])).job).toMatchObject({ state: 'done', result: { safe: true } });
    expect((await home.run(['worker', '--once'])).code).toBe(0);
    expect((await home.json(pointsDocument, 0, ['points'])).points).toHaveLength(1);
  });

  it('say what is wrong with how they are called', async () => {
    expect(await home.run(['jobs', '--retry'])).toMatchObject({ code: 2, stderr: expect.stringContaining('needs the id of a job') as string });
    const unknown = await home.run(['jobs', 'backup.nowhere']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('LB_JOB_NOT_FOUND') as string });
    expect(await home.run(['jobs', 'backup.nowhere', '--drop'])).toMatchObject({ code: 1, stderr: expect.stringContaining('lifeboat jobs --state failed') as string });
  });
});
