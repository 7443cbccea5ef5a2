import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvocationContext, HttpRequest } from '@azure/functions';
import type { Timer } from '@azure/functions';
import { cloudEvent, http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { azureHttp, azureObjects, azureSchedules, azureWork } from '../../src/functions/adapters/azure.ts';
import { googleHttp, googleObjects, googleSchedule, googleWork } from '../../src/functions/adapters/google.ts';
import { functionServer } from '../../src/functions/adapters/http-server.ts';
import { api } from '../../src/functions/handlers/api.ts';
import { replicate } from '../../src/functions/handlers/replicate.ts';
import { scheduled } from '../../src/functions/handlers/scheduled.ts';
import { work } from '../../src/functions/handlers/work.ts';
import type { Budget } from '../../src/core/budget.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { startIssuer } from './issuer-double.ts';
import type { Issuer } from './issuer-double.ts';
import { apiSurroundings, testSurroundings } from './surroundings.ts';
import type { TestSurroundings } from './surroundings.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const atIssuer = (env: NodeJS.ProcessEnv = {}): Promise<TestSurroundings> => testSurroundings({ env, change: (text) => text.replace('https://login.example.net/', issuer.address) });
const withApi = (env: NodeJS.ProcessEnv = {}): Promise<TestSurroundings> => apiSurroundings(issuer.address, { env });

/** Listens on loopback for the length of the test. */
async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const POINT = 'points/shop/20261126T141503Z-07b1c2d3';
const FINALIZED = {
  specversion: '1.0',
  id: '79236',
  source: '//storage.googleapis.com/projects/_/buckets/acme-other-cloud',
  type: 'google.cloud.storage.object.v1.finalized',
  subject: `objects/${POINT}`,
  time: '2026-11-26T14:15:10Z',
  data: { bucket: 'acme-other-cloud', name: POINT },
};

function post(address: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(address, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
}

/** Takes note of what it may use, and has nothing to do. */
function workerNoting(surroundings: TestSurroundings, noted: Budget[]): TestSurroundings {
  return { ...surroundings, worker: () => Promise.resolve({ drain: (budget) => Promise.resolve(noted.push(budget)).then(() => ({ steps: 3, empty: true })) }) };
}

describe('Google Cloud Functions, in the framework of Google', () => {
  it('take the events of a bucket and of Cloud Scheduler', async () => {
    const surroundings = await atIssuer();
    cloudEvent('replicate', googleObjects('replicate', replicate, surroundings));
    cloudEvent('backup', googleSchedule('backup', scheduled('backup'), surroundings));
    const structured = { 'content-type': 'application/cloudevents+json' };
    expect((await post(await listening(getTestServer('replicate')), FINALIZED, structured)).status).toBe(204);
    const message = { data: Buffer.from('{"plan":"shop"}').toString('base64'), messageId: '1' };
    const published = { specversion: '1.0', id: '10964', source: '//pubsub.googleapis.com/projects/acme/topics/backup', type: 'google.cloud.pubsub.topic.v1.messagePublished', time: '2026-11-26T14:15:00.5Z', data: { message } };
    expect((await post(await listening(getTestServer('backup')), published, structured)).status).toBe(204);
    expect((await surroundings.queue.jobs()).map(({ kind }) => kind)).toEqual(['backup', 'replicate']);
  });

  it('are not given an event again that will never be understood, and are given one again that may', async () => {
    const surroundings = await atIssuer();
    cloudEvent('never', googleObjects('replicate', replicate, surroundings));
    cloudEvent('later', googleObjects('replicate', () => Promise.reject(new LifeboatError('LB_QUEUE_UNAVAILABLE', 'The queue did not answer')), surroundings));
    const structured = { 'content-type': 'application/cloudevents+json' };
    expect((await post(await listening(getTestServer('never')), { ...FINALIZED, type: 'other' }, structured)).status).toBe(204);
    expect((await post(await listening(getTestServer('later')), FINALIZED, structured)).status).toBe(500);
    expect(surroundings.lines).toMatchObject([{ level: 'error', code: 'LB_EVENT_INVALID' }, { level: 'error', code: 'LB_QUEUE_UNAVAILABLE' }]);
  });

  it('answer requests, and work for as long as they were told to', async () => {
    const budgets: Budget[] = [];
    const surroundings = workerNoting(await withApi({ LIFEBOAT_WORK_SECONDS: '100' }), budgets);
    http('restore', googleHttp(api, surroundings));
    http('work', googleWork('work', work, surroundings));
    const address = await listening(getTestServer('restore'));
    const order = { plan: 'shop', target: 'spare' };
    expect((await post(`${address}/v1/restores`, order)).status).toBe(401);
    expect((await post(`${address}/v1/restores`, order, { authorization: `Bearer ${await issuer.token()}` })).status).toBe(202);
    expect(await (await post(await listening(getTestServer('work')), {})).json()).toEqual({ steps: 3, empty: true });
    expect(budgets).toEqual([{ deadline: surroundings.now() + 98_500 }]);
  });
});

const TIMER: Timer = { isPastDue: false, schedule: { adjustForDST: true }, scheduleStatus: { last: '', next: '', lastUpdated: '' } };
const context = (): InvocationContext => new InvocationContext({ functionName: 'test', invocationId: 'i1', logHandler: () => {} });

describe('Azure Functions, called as their host calls them', () => {
  it('have timers for the schedules of lifeboat.yaml, that hand over the job of their slot', async () => {
    const surroundings = await testSurroundings({ now: '2026-11-26T14:14:59.900Z' });
    const timers = await azureSchedules(surroundings);
    expect(timers.map(({ name, schedule }) => [name, schedule])).toEqual([
      ['backup-shop', '0 0,15,30,45 * * * *'],
      ['backup-archive', '0 30 2 1 * *'],
      ['backup-archive-2', '0 30 2 * * 0'],
      ['drill-shop', '0 * * * * *'],
      ['verify-shop', expect.any(String)],
      ['verify-shop-2', expect.any(String)],
      ['retain', '0 0 0 * * *'],
    ]);
    await timers[0]?.handler(TIMER, context());
    expect((await surroundings.queue.jobs()).map(({ id }) => id)).toEqual(['backup.shop.20261126T141500Z']);
  });

  it('look whether the time has come where a timer cannot say it', async () => {
    const ringAt = async (now: string): Promise<readonly string[]> => {
      const surroundings = await testSurroundings({ now });
      await (await azureSchedules(surroundings)).find(({ name }) => name === 'drill-shop')?.handler(TIMER, context());
      return (await surroundings.queue.jobs()).map(({ id }) => id);
    };
    expect(await ringAt('2026-11-26T01:59:00Z')).toEqual([]);
    expect(await ringAt('2026-11-26T02:00:00Z')).toEqual(['drill.shop.20261126T020000Z']);
    expect(await ringAt('2026-11-26T02:14:00Z')).toEqual(['drill.shop.20261126T020000Z']);
    expect(await ringAt('2026-11-26T02:16:00Z')).toEqual([]);
  });

  it('answer requests, take the events of Event Grid, and work', async () => {
    const budgets: Budget[] = [];
    const surroundings = workerNoting(await withApi(), budgets);
    const headers = { authorization: `Bearer ${await issuer.token()}`, 'content-type': 'application/json' };
    const order = new HttpRequest({ method: 'POST', url: 'https://fn.example.net/api/v1/restores', headers, body: { string: JSON.stringify({ plan: 'shop', target: 'spare' }) } });
    const answer = await azureHttp(api, surroundings)(order, context());
    expect(answer).toMatchObject({ status: 202 });
    expect(await azureHttp(api, surroundings)(new HttpRequest({ method: 'GET', url: 'https://fn.example.net/api/v1/jobs', headers }), context())).toMatchObject({ status: 200 });
    const event = { id: '1', topic: '/subscriptions/a/storageAccounts/other', subject: '/blobServices/default/containers/c/blobs/x', eventType: 'Microsoft.Storage.BlobCreated', eventTime: '2026-11-26T14:15:10Z', dataVersion: '', metadataVersion: '1', data: {} };
    await azureObjects('replicate', replicate, surroundings)(event, context());
    await azureObjects('replicate', replicate, surroundings)({ ...event, eventType: 'Microsoft.Storage.BlobDeleted' }, context());
    expect(surroundings.lines.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'LB_EVENT_INVALID' }]);
    await azureWork('work', work, surroundings)(TIMER, context());
    expect(budgets).toEqual([{ deadline: surroundings.now() + 238_500 }]);
  });
});

describe('the functions on a plain HTTP server', () => {
  const ping = { specversion: '1.0', id: '6c4e', source: '/pingsources/backup-shop', type: 'dev.knative.sources.ping', time: '2026-11-26T14:15:00Z', data: { plan: 'shop' } };
  const structured = { 'content-type': 'application/cloudevents+json' };

  it('take CloudEvents in binary and structured mode, once each', async () => {
    const surroundings = await atIssuer({ LIFEBOAT_TRUST_NETWORK: '1' });
    const address = await listening(functionServer(surroundings));
    const { data, ...attributes } = ping;
    const binary = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
    expect(await (await post(`${address}/events/backup`, data, binary)).json()).toEqual({ new: ['backup.shop.20261126T141500Z'], known: [] });
    expect(await (await post(`${address}/events/backup`, ping, structured)).json()).toEqual({ new: [], known: ['backup.shop.20261126T141500Z'] });
    expect((await post(`${address}/events/replicate`, FINALIZED, structured)).status).toBe(200);
    expect(await surroundings.queue.jobs()).toHaveLength(2);
  });

  it('take no event from those who have no token, unless the network is trusted', async () => {
    const address = await listening(functionServer(await atIssuer()));
    expect((await post(`${address}/events/backup`, ping, structured)).status).toBe(401);
    const viewer = await issuer.token({ roles: ['auditors'] });
    expect((await post(`${address}/events/backup`, ping, { ...structured, authorization: `Bearer ${viewer}` })).status).toBe(403);
    expect((await post(`${address}/events/backup`, ping, { ...structured, authorization: `Bearer ${await issuer.token()}` })).status).toBe(200);
  });

  it('say to brokers what not to try again, and what to', async () => {
    const surroundings = await atIssuer({ LIFEBOAT_TRUST_NETWORK: '1' });
    const address = await listening(functionServer({ ...surroundings, jobs: () => Promise.reject(new LifeboatError('LB_QUEUE_UNAVAILABLE', 'The queue did not answer')) }));
    expect((await post(`${address}/events/backup`, { ...ping, type: 'other' }, structured)).status).toBe(400);
    expect((await post(`${address}/events/backup`, ping, structured)).status).toBe(503);
    expect((await post(`${address}/events/other`, ping, structured)).status).toBe(404);
    expect((await post(`${address}/events/backup`, { ...ping, data: 'x'.repeat(300_000) }, structured)).status).toBe(400);
  });

  it('answer as everywhere else', async () => {
    const address = await listening(functionServer(await withApi()));
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect((await fetch(`${address}/v1/jobs`)).status).toBe(401);
    const authorization = `Bearer ${await issuer.token()}`;
    const ordered = await post(`${address}/v1/restores`, { plan: 'shop', target: 'spare' }, { authorization });
    expect(ordered.status).toBe(202);
    expect((await fetch(`${address}${ordered.headers.get('location')}`, { headers: { authorization } })).status).toBe(200);
  });

  it('work when they are told to, within the time they have', async () => {
    const budgets: Budget[] = [];
    const address = await listening(functionServer(workerNoting(await atIssuer({ LIFEBOAT_TRUST_NETWORK: '1', LIFEBOAT_WORK_SECONDS: '30' }), budgets)));
    expect(await (await post(`${address}/events/work`, {})).json()).toEqual({ steps: 3, empty: true });
    expect(budgets).toHaveLength(1);
  });
});
