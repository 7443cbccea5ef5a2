import { describe, expect, it, onTestFinished } from 'vitest';
import { Redactor } from '../../src/core/redact.ts';
import { traced } from '../../src/jobs/observe/traces.ts';
import { startTracing } from '../../src/telemetry/traces/start.ts';
import type { Tracing } from '../../src/telemetry/traces/tracing.ts';
import { keptHome } from '../cli/kept-home.ts';
import { CALLER, collecting, spansOf, TRACEPARENT, workOff, workProcess } from '../jobs/tracing.ts';
import type { CollectorDouble } from '../telemetry/collector-double.ts';
import { JobServiceDouble } from './doubles/job-service-double.ts';
import { Scene } from './scene.ts';

interface Serving {
  readonly collector: CollectorDouble;
  readonly tracing: Tracing;
  readonly scene: Scene;
}

/** The API, its spans collected; a double stands for the queue. */
async function serving(): Promise<Serving> {
  const collector = await collecting();
  const tracing = await startTracing({ redactor: new Redactor(), log: { warn: () => {} }, env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  onTestFinished(() => tracing.close());
  const jobs = new JobServiceDouble();
  const submit = jobs.submit.bind(jobs);
  jobs.submit = (job) => submit(traced(job, tracing));
  return { collector, tracing, scene: await Scene.open({ parts: { jobs, tracing } }) };
}

/** Asks for a verification of the plan; gives its id. */
async function verify(scene: Scene, headers: Record<string, string> = {}): Promise<string> {
  const answer = await scene.ask('operate', 'POST', '/v1/jobs', { body: { kind: 'verify', plan: 'prod' }, headers });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { readonly id: string }).id;
}

describe('a request', () => {
  it('is a part of the trace of whoever asks, and so is what is done for it', async () => {
    const collector = await collecting();
    const { home } = await keptHome('prod: {site: prod, vaults: [near, far]}');
    const working = await workProcess(home, collector);
    const scene = await Scene.open({ parts: { jobs: working.jobs, tracing: working.telemetry.tracing } });
    const id = await verify(scene, { traceparent: TRACEPARENT });
    await workOff(working);
    expect(await working.jobs.status(id)).toMatchObject({ state: 'done' });
    await working.close();
    const [request, submit, wait, step] = ['POST /v1/jobs', 'submit verify', 'wait in the queue', 'verify step'].map((name) => spansOf(collector, name)[0]);
    expect(request).toMatchObject({ traceId: CALLER.traceId, parentSpanId: CALLER.spanId, kind: 2, failed: undefined });
    expect(request?.attributes).toEqual({ 'http.request.method': 'POST', 'http.route': '/v1/jobs', 'http.response.status_code': 202, 'lifeboat.request.id': scene.log[0]?.id });
    expect(submit).toMatchObject({ traceId: CALLER.traceId, parentSpanId: request?.spanId });
    for (const span of [wait, step]) expect(span).toMatchObject({ traceId: CALLER.traceId, parentSpanId: submit?.spanId });
  });

  it('of nobody’s trace begins one; what is no traceparent is none', async () => {
    const { collector, scene, tracing } = await serving();
    await verify(scene);
    await verify(scene, { traceparent: TRACEPARENT.replace(CALLER.spanId, '0'.repeat(16)) });
    await tracing.flush();
    const requests = spansOf(collector, 'POST /v1/jobs');
    expect(requests.map(({ parentSpanId }) => parentSpanId)).toEqual([undefined, undefined]);
    expect(spansOf(collector, 'submit verify').map(({ parentSpanId }) => parentSpanId)).toEqual(requests.map(({ spanId }) => spanId));
    expect(new Set([CALLER.traceId, ...requests.map(({ traceId }) => traceId)]).size).toBe(3);
  });

  it('that is not sampled where it comes from is not sampled here', async () => {
    const { collector, scene, tracing } = await serving();
    const id = await verify(scene, { traceparent: TRACEPARENT.replace(/01$/, '00') });
    expect((await scene.parts.jobs.status(id))?.job.traceparent).toMatch(new RegExp(`^00-${CALLER.traceId}-[0-9a-f]{16}-00$`));
    await tracing.flush();
    expect(collector.spans()).toEqual([]);
  });

  it('has a span that says how it ended, without what was sent; probes have none', async () => {
    const { collector, scene, tracing } = await serving();
    await scene.ask('look', 'GET', '/v1/jobs/verify.hunter2hunter2?password=hunter2hunter2');
    await scene.ask(undefined, 'GET', '/v1/plans');
    Object.assign(scene.parts.points, { ofPlan: () => Promise.reject(new Error('nobody thought of that')) });
    await scene.ask('look', 'GET', '/v1/points?plan=prod');
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/metrics']) await scene.ask('look', 'GET', path);
    await tracing.flush();
    expect(collector.spans().map(({ name, failed, attributes }) => [name, attributes['http.response.status_code'], failed])).toEqual([
      ['GET /v1/jobs/{id}', 404, undefined],
      ['GET /v1/plans', 401, undefined],
      ['GET /v1/points', 500, 'nobody thought of that'],
    ]);
    expect(collector.text()).not.toContain('hunter2');
  });

  it('hands the trace on that it came with where none are made, and nothing without one', async () => {
    const { home } = await keptHome('prod: {site: prod, vaults: [near, far]}');
    const working = await workProcess(home);
    const scene = await Scene.open({ parts: { jobs: working.jobs, tracing: working.telemetry.tracing } });
    const [ofCaller, ofNobody] = [await verify(scene, { traceparent: TRACEPARENT }), await verify(scene)];
    await workOff(working);
    expect(await working.jobs.status(ofCaller)).toMatchObject({ state: 'done', job: { traceparent: TRACEPARENT } });
    const { job, state } = (await working.jobs.status(ofNobody)) ?? {};
    expect(state).toBe('done');
    expect(job).not.toHaveProperty('traceparent');
    await working.close();
  });
});
