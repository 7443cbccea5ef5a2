import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Redactor } from '../../src/core/redact.ts';
import { functionServer } from '../../src/functions/adapters/http-server.ts';
import { awsHttp } from '../../src/functions/events/aws.ts';
import { cloudEvent, objectsFrom } from '../../src/functions/events/cloud-event.ts';
import { api } from '../../src/functions/handlers/api.ts';
import { replicate } from '../../src/functions/handlers/replicate.ts';
import { scheduled } from '../../src/functions/handlers/scheduled.ts';
import { openJobs } from '../../src/functions/open-jobs.ts';
import { processSurroundings } from '../../src/functions/process-surroundings.ts';
import type { FunctionSurroundings } from '../../src/functions/surroundings.ts';
import { startTracing } from '../../src/telemetry/traces/start.ts';
import { NO_TRACING } from '../../src/telemetry/traces/tracing.ts';
import type { Tracing } from '../../src/telemetry/traces/tracing.ts';
import { keptHome } from '../cli/kept-home.ts';
import { CALLER, collecting, spansOf, TRACEPARENT, workOff, workProcess } from '../jobs/tracing.ts';
import type { CollectorDouble } from '../telemetry/collector-double.ts';
import { startIssuer } from './issuer-double.ts';
import type { Issuer } from './issuer-double.ts';
import { apiSurroundings, testSurroundings } from './surroundings.ts';

const TRUSTED = { LIFEBOAT_TRUST_NETWORK: '1' };
const OTHER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const OTHER_TRACEPARENT = `00-${OTHER.traceId}-${OTHER.spanId}-01`;
const AT = Date.parse('2026-11-26T14:15:03Z');

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

async function tracingTo(collector: CollectorDouble): Promise<Tracing> {
  const tracing = await startTracing({ redactor: new Redactor(), log: { warn: () => {} }, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  onTestFinished(() => tracing.close());
  return tracing;
}

/** Sends the event of a schedule to the functions on a plain HTTP server. */
async function ring(surroundings: FunctionSurroundings, kind: string, { plan, headers = {}, extension }: { readonly plan: string; readonly headers?: Record<string, string>; readonly extension?: unknown }): Promise<void> {
  const server = functionServer(surroundings).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const event = { specversion: '1.0', id: '6c4e', source: '/ping', type: 'dev.knative.sources.ping', time: new Date(AT).toISOString(), data: { plan }, ...(extension !== undefined && { traceparent: extension }) };
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/events/${kind}`, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json', ...headers }, body: JSON.stringify(event) });
  server.close();
  server.closeAllConnections();
  expect(answer.status).toBe(200);
}

describe('an event', () => {
  it('is a part of the trace that it came with, and so is what is done for it', async () => {
    const collector = await collecting();
    const { home } = await keptHome('prod: {site: prod, vaults: [near, far], verify: {schedule: {every: 1h}}}');
    const tracing = await tracingTo(collector);
    const config = await loadConfig(home.path('lifeboat.yaml'));
    const jobs = await openJobs({ config, env: {}, redactor: new Redactor(), warn: () => {}, tracing });
    const surroundings = { ...(await testSurroundings({ env: TRUSTED, tracing })), config: () => Promise.resolve(config), jobs: () => Promise.resolve(jobs) };
    await ring(surroundings, 'verify', { plan: 'prod', headers: { traceparent: TRACEPARENT } });
    const [handled, submit] = ['schedule verify', 'submit verify'].map((name) => spansOf(collector, name)[0]);
    expect(handled).toMatchObject({ traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2 });
    expect(submit).toMatchObject({ traceId: CALLER.traceId, parentSpanId: handled?.spanId, attributes: { 'lifeboat.slot': '2026-11-26T14:00:00.000Z' } });
    await jobs.close();

    const working = await workProcess(home, collector);
    await workOff(working);
    await working.close();
    expect(spansOf(collector, 'verify step')).toMatchObject([{ traceId: CALLER.traceId, parentSpanId: submit?.spanId, attributes: { 'lifeboat.outcome': 'done' } }]);
  });

  it('says in its header or its extension for traces where it is from, the header first; what is no traceparent is left', async () => {
    const collector = await collecting();
    const surroundings = await testSurroundings({ env: TRUSTED, tracing: await tracingTo(collector) });
    await ring(surroundings, 'backup', { plan: 'shop', headers: { traceparent: TRACEPARENT }, extension: OTHER_TRACEPARENT });
    await ring(surroundings, 'backup', { plan: 'shop', headers: { traceparent: 'nonsense' }, extension: OTHER_TRACEPARENT });
    await ring(surroundings, 'backup', { plan: 'shop', headers: { traceparent: 'nonsense' }, extension: 12 });
    expect(spansOf(collector, 'schedule backup').map(({ parentSpanId }) => parentSpanId)).toEqual([CALLER.spanId, OTHER.spanId, undefined]);
  });

  it('about an object is in the trace that the event says, as Google hands it on', async () => {
    const collector = await collecting();
    const surroundings = await testSurroundings({ tracing: await tracingTo(collector) });
    const name = 'points/shop/20261126T141503Z-07b1c2d3';
    const event = cloudEvent({ specversion: '1.0', id: '1', source: 's', type: 'google.cloud.storage.object.v1.finalized', data: { bucket: 'acme-other-cloud', name }, traceparent: OTHER_TRACEPARENT });
    await replicate(objectsFrom(event, AT), surroundings);
    const [handled] = spansOf(collector, 'objects replicate');
    expect(handled).toMatchObject({ traceId: OTHER.traceId, parentSpanId: OTHER.spanId });
    expect((await surroundings.queue.jobs()).map(({ traceparent }) => traceparent)).toEqual([`00-${OTHER.traceId}-${spansOf(collector, 'submit replicate')[0]?.spanId}-01`]);
  });

  it('of a schedule that comes with none begins one, sent when the function ends, also when it fails', async () => {
    const collector = await collecting();
    const surroundings = await testSurroundings({ tracing: await tracingTo(collector) });
    await scheduled('backup')({ trigger: 'schedule', id: '1', at: AT, detail: { plan: 'shop' } }, surroundings);
    await expect(scheduled('backup')({ trigger: 'schedule', id: '2', at: AT, detail: { plan: 'gone' } }, surroundings)).rejects.toMatchObject({ code: 'LB_EVENT_INVALID' });
    const [first, second] = spansOf(collector, 'schedule backup');
    expect(first).toMatchObject({ parentSpanId: undefined, failed: undefined });
    expect(spansOf(collector, 'submit backup')).toMatchObject([{ traceId: first?.traceId, parentSpanId: first?.spanId }]);
    expect(second).toMatchObject({ parentSpanId: undefined, failed: expect.any(String) as string, attributes: { 'error.type': 'LB_EVENT_INVALID' } });
  });

  it('hands the trace on that it came with where none are made, and nothing without one', async () => {
    const surroundings = await testSurroundings({ env: TRUSTED });
    await ring(surroundings, 'backup', { plan: 'shop', headers: { traceparent: TRACEPARENT } });
    await ring(surroundings, 'verify', { plan: 'shop' });
    expect((await surroundings.queue.jobs()).map(({ kind, traceparent }) => [kind, traceparent])).toEqual([['backup', TRACEPARENT], ['verify', undefined]]);
  });
});

describe('a request to a function', () => {
  it('is a part of the trace of whoever asks, and is sent when it is answered', async () => {
    const collector = await collecting();
    const surroundings = await apiSurroundings(issuer.address, { tracing: await tracingTo(collector) });
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${await issuer.token()}`, Traceparent: TRACEPARENT };
    const requestContext = { requestId: 'r', timeEpoch: 1, http: { method: 'POST', sourceIp: '192.0.2.1' } };
    const answer = await api(awsHttp({ version: '2.0', rawPath: '/v1/restores', headers, requestContext, body: JSON.stringify({ plan: 'shop', target: 'spare' }) }), surroundings);
    expect(answer.status).toBe(202);
    const [request] = spansOf(collector, 'POST /v1/restores');
    expect(request).toMatchObject({ traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2 });
    expect(spansOf(collector, 'submit restore')).toMatchObject([{ traceId: CALLER.traceId, parentSpanId: request?.spanId }]);
  });
});

describe('the surroundings of a function', () => {
  it('make traces where the environment says to, with their ids in the log, and none elsewhere', async () => {
    expect(await processSurroundings({}, {}).tracing()).toBe(NO_TRACING);
    const collector = await collecting();
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    onTestFinished(() => written.mockRestore());
    const surroundings = processSurroundings({}, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const tracing = await surroundings.tracing();
    onTestFinished(() => tracing.close());
    await tracing.within('schedule backup', { parent: TRACEPARENT }, () => Promise.resolve(surroundings.log({ message: 'inside' })));
    expect(JSON.parse(String(written.mock.lastCall?.[0]))).toMatchObject({ message: 'inside', trace_id: CALLER.traceId });
  });
});
