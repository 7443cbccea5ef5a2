import { randomBytes } from 'node:crypto';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { jobSchema, requestJobId, slotJob } from '../../src/jobs/job.ts';
import type { Job, JobOf, RestoreOrder } from '../../src/jobs/job.ts';
import { edit, makeHome } from '../cli/home.ts';
import type { Home } from '../cli/home.ts';
import { openPlace, text } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { FaultProxy, SeenRequest } from '../testbed/fault-proxy.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { doJob } from './doing.ts';

/** What the far vault takes, bytes a second, and what the site holds that cannot be compressed: some twenty seconds. */
const RATE = 1_000_000;
const OBJECTS = 40;
const OBJECT_BYTES = 500_000;

let place: Place;
let target: Place;
let server: S3Server;
let proxy: FaultProxy;
let home: Home;
beforeAll(async () => {
  [place, target, server] = await Promise.all([
    openPlace({ name: 'prod', controllers: false }),
    openPlace({ name: 'other', controllers: false }),
    startSeaweedfs(),
  ]);
  proxy = await startFaultProxy({ upstream: server.endpoint });
  await place.site.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' } }]);
  await place.site.api.createMany(
    Array.from({ length: OBJECTS }, (_, n) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `noise-${n}`, namespace: 'full' },
      binaryData: { noise: randomBytes((OBJECT_BYTES / 4) * 3).toString('base64') },
    })),
  );
  home = await makeHome(place.site);
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.credentials.secretAccessKey);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy?.close();
  await server?.stop();
  await place?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

/** A home whose only vault is behind a slow line. */
async function farHome(): Promise<Home> {
  const copy = await home.copy();
  const bucket = await server.createBucket();
  await edit(copy, 'lifeboat.yaml', /^vaults:\n/m, `vaults:\n  slow: { type: s3, bucket: ${bucket}, endpoint: "${proxy.url}", region: us-east-1 }\n`);
  await edit(copy, 'lifeboat.yaml', /vaults: \[.*\]/, 'vaults: [slow]');
  const { accessKeyId, secretAccessKey } = server.credentials;
  const { code, stderr } = await copy.run(['init'], { env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } });
  if (code !== 0) throw new Error(`init failed: ${stderr}`);
  return copy;
}

/** A home whose lifeboat.yaml knows the other cluster too. */
async function homeWithOther(): Promise<Home> {
  const copy = await home.copy();
  await edit(copy, 'lifeboat.yaml', /^sites:\n/m, `sites:\n  other: { kubeconfig: "${target.site.kubeconfigPath}" }\n`);
  return copy;
}

const restoreJob = (request: Partial<RestoreOrder>, more: Partial<JobOf<'restore'>> = {}): Job =>
  jobSchema.parse({ kind: 'restore', id: requestJobId('restore', Date.now()), requestedBy: 'ada', at: new Date().toISOString(), request: { plan: 'prod', target: 'other', ...request }, ...more });

const backup = (slot: string): Job => slotJob('backup', 'prod', Date.parse(slot), Date.now());

/** Nothing makes it ready: there are no controllers. */
function neverReady(name: string) {
  const labels = { app: name };
  const containers = [{ name, image: 'example.invalid/never:1' }];
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'full' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } } };
}

const reportSchema = z.object({
  seconds: z.number(),
  phases: z.array(z.object({ name: z.string() })),
  types: z.array(z.object({ type: z.string(), objects: z.record(z.string(), z.number()) })),
  workloads: z.object({ notReady: z.array(z.string()) }),
});

describe('a backup that takes longer than a step', () => {
  it('is done in several, each of which goes on where the one before it ended', async () => {
    const far = await farHome();
    let stop = (): void => {};
    let packs = 0;
    // The time of a step is over whenever a few packs more are on their way: of all there are about eight.
    const when = ({ method, url }: SeenRequest): boolean => {
      if (method === 'PUT' && url.includes('/packs/')) packs += 1;
      if (packs > 0 && packs % 3 === 0) stop();
      return method === 'PUT';
    };
    const slow = proxy.inject({ action: { do: 'harm-request', body: { bytesPerSecond: RATE } }, when, times: Number.POSITIVE_INFINITY });
    try {
      const job = backup(new Date().toISOString());
      const { outcome, steps } = await doJob(far, job, { onStep: (ask) => (stop = ask) });
      expect(outcome).toMatchObject({ done: { complete: true, safe: true, vaults: ['slow'] } });
      expect(steps).toBeGreaterThan(1);
      slow.remove();
      // The slot has its point: delivered once more, the job does nothing.
      expect((await doJob(far, job)).outcome).toEqual({ done: { covered: text(/./) } });
    } finally {
      slow.remove();
    }
  });

  it('gets there also when every step is cut off, without a moment to put anything away', async () => {
    const far = await farHome();
    const slow = proxy.inject({ action: { do: 'harm-request', body: { bytesPerSecond: RATE } }, when: ({ method }) => method === 'PUT', times: Number.POSITIVE_INFINITY });
    try {
      const stored = async (): Promise<number> => proxy.requests.filter(({ method, url }) => method === 'PUT' && url.includes('/packs/')).length;
      const before = await stored();
      const { outcome } = await doJob(far, backup(new Date().toISOString()), { stepMs: 600_000, cutOff: { steps: 2, afterMs: 3_500 } });
      expect(outcome).toMatchObject({ done: { complete: true, safe: true } });
      // All of it is 15 MB, in packs of 2: little of it was sent twice.
      expect((await stored()) - before).toBeLessThan(8 + 2 * 4);
    } finally {
      slow.remove();
    }
  });

  it('says so when a step is too short even to list the site', async () => {
    const copy = await home.copy();
    const slow = new Date().toISOString();
    await expect(doJob(copy, backup(slow), { stepMs: 1 })).rejects.toMatchObject({ code: 'LB_BUDGET_TOO_SMALL', where: 'site "prod"' });
  });
});

describe('a restore that is asked for', () => {
  it('goes on in another step, or after it was killed, and says in the vaults that it was begun and that it ended', async () => {
    const copy = await homeWithOther();
    await doJob(copy, backup(new Date().toISOString()));
    const job = restoreJob({});
    const { outcome } = await doJob(copy, job, { cutOff: { steps: 2, afterMs: 400 } });
    expect(outcome).toMatchObject({ done: { ok: true, point: text(/./) } });
    expect(await target.find({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'noise-7', namespace: 'full' } })).toBeDefined();
    const records = await readdir(join(copy.path('near'), 'jobs', job.id));
    expect(records.toSorted()).toEqual(['begun', 'ended']);
  });

  it('waits for workloads in as many steps as it takes, and reports what all of them did', async () => {
    const copy = await homeWithOther();
    await place.site.api.apply([neverReady('waited-for')]);
    await doJob(copy, backup(new Date().toISOString()));
    const job = restoreJob({ renameNamespaces: { full: 'waiting' }, selection: { namespaces: ['full'] }, waitSeconds: 9 });
    // The time of the first two steps is over as soon as they wait.
    let [stop, number] = [(): void => {}, 0];
    const { outcome, steps } = await doJob(copy, job, {
      onStep: (ask, step) => ([stop, number] = [ask, step]),
      onProgress: ({ phase }) => {
        if (phase === 'wait' && number < 3) stop();
      },
    });
    expect(steps).toBe(3);
    const { done } = z.object({ done: z.object({ ok: z.boolean(), report: reportSchema }) }).parse(outcome);
    // It was created in an early step, and never got ready.
    expect(done).toMatchObject({ ok: false, report: { workloads: { notReady: ['Deployment waiting/waited-for'] } } });
    expect(done.report.types.find(({ type }) => type === 'deployments.apps')?.objects).toEqual({ created: 1 });
    expect(done.report.types.find(({ type }) => type === 'configmaps')?.objects).toMatchObject({ created: OBJECTS });
    expect(new Set(done.report.phases.map(({ name }) => name)).size).toBe(done.report.phases.length);
    // It looks once a second, and not once more than there is time for.
    expect(done.report.seconds).toBeGreaterThan(8);
    const record = await readFile(join(copy.path('near'), 'jobs', job.id, 'ended'), 'utf8');
    // What it came to, and no object's name.
    expect(record).toContain('"phases"');
    expect(record).not.toContain('waited-for');
  });

  it('is on record as ended when it is cancelled: nobody goes on with it when the queue is lost', async () => {
    const copy = await homeWithOther();
    // The restore waits for it until it is cancelled.
    await place.site.api.apply([neverReady('never')]);
    await doJob(copy, backup(new Date().toISOString()));
    const job = restoreJob({ renameNamespaces: { full: 'elsewhere' }, waitSeconds: 600 });
    const records = (): Promise<string[]> => readdir(join(copy.path('near'), 'jobs', job.id)).catch(() => []);
    const begun = vi.waitFor(async () => expect(await records()).toContain('begun'), { timeout: 100_000, interval: 5 });
    await expect(doJob(copy, job, { cancel: begun })).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    expect((await records()).toSorted()).toEqual(['begun', 'ended']);
  });

  it('waits for the confirmation of its very plan when it would change what exists', async () => {
    const copy = await homeWithOther();
    await doJob(copy, backup(new Date().toISOString()));
    const noise = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'noise-3', namespace: 'full' } };
    await doJob(copy, restoreJob({}));
    const touch = async (value: string): Promise<unknown> => target.site.api.patch(await target.site.api.pathOf(noise), { data: { touched: value } });
    await touch('once');
    const request = { existing: 'update', objects: ['ConfigMap/full/noise-3'] } as const;
    const asked = await doJob(copy, restoreJob(request));
    const digest = z.object({ unconfirmed: z.object({ plan: z.object({ digest: z.string(), update: z.array(z.string()) }) }) }).parse(asked.outcome).unconfirmed.plan;
    expect(digest.update).toEqual(['ConfigMap full/noise-3']);
    expect(await target.find(noise)).toMatchObject({ data: { touched: 'once' } });

    await expect(doJob(copy, restoreJob(request, { confirmed: { digest: '0'.repeat(64), by: 'grace' } }))).rejects.toMatchObject({ code: 'LB_CONFIRMATION' });
    const { outcome } = await doJob(copy, restoreJob(request, { confirmed: { digest: digest.digest, by: 'grace' } }));
    expect(outcome).toMatchObject({ done: { ok: true } });
    expect(await target.find(noise)).not.toHaveProperty('data');
  });

  it('refuses the cluster that the point was taken from', async () => {
    const copy = await homeWithOther();
    await doJob(copy, backup(new Date().toISOString()));
    await expect(doJob(copy, restoreJob({ target: 'prod' }))).rejects.toMatchObject({ code: 'LB_RESTORE_INTO_SOURCE' });
    const { outcome } = await doJob(copy, restoreJob({ target: 'prod', intoSource: true }));
    expect(outcome).toMatchObject({ unconfirmed: { plan: { digest: text(/^[0-9a-f]{64}$/) } } });
  });

  it('takes the point of a moment', async () => {
    const copy = await homeWithOther();
    const first = await doJob(copy, backup('2020-01-01T00:00:00Z'));
    const { point, at } = z.object({ done: z.object({ point: z.string(), at: z.string() }) }).parse(first.outcome).done;
    await doJob(copy, backup(new Date().toISOString()));
    const { outcome } = await doJob(copy, restoreJob({ before: new Date(Date.parse(at) + 1).toISOString(), dryRun: true }));
    expect(outcome).toMatchObject({ done: { dryRun: true, plan: { source: { label: text(point) } } } });
    await expect(doJob(copy, restoreJob({ before: '2001-01-01T00:00:00Z' }))).rejects.toMatchObject({ code: 'LB_POINT_NOT_FOUND' });
  });
});
