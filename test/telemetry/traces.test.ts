import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { Redactor } from '../../src/core/redact.ts';
import { createLog } from '../../src/telemetry/log/log.ts';
import type { Log } from '../../src/telemetry/log/log.ts';
import { startTracing } from '../../src/telemetry/traces/start.ts';
import { readTraceparent, writeTraceparent } from '../../src/telemetry/traces/traceparent.ts';
import { NO_TRACING } from '../../src/telemetry/traces/tracing.ts';
import type { Tracing } from '../../src/telemetry/traces/tracing.ts';
import { startCollectorDouble } from './collector-double.ts';
import type { CollectedSpan, CollectorDouble } from './collector-double.ts';

const INCOMING = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

interface Parts {
  readonly collector: CollectorDouble;
  readonly tracing: Tracing;
  readonly redactor: Redactor;
  readonly lines: () => Record<string, unknown>[];
}

async function traced(env: Readonly<Record<string, string>> = {}, path = '/'): Promise<Parts> {
  const collector = await startCollectorDouble();
  onTestFinished(() => collector[Symbol.asyncDispose]());
  const redactor = new Redactor();
  let text = '';
  const log = createLog({ redactor, level: 'debug', env: {}, stream: { write: (line: string) => (text += line) } });
  const tracing = await startTracing({ redactor, log, version: '1.2.3', env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}${path}`, ...env } });
  onTestFinished(() => tracing.close());
  return {
    collector,
    tracing,
    redactor,
    lines: () => {
      log.info('a line');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
    },
  };
}

/** What a collector has got, once that is so many spans: flushing gives up after a while, which a busy machine may take. */
async function collected({ tracing, collector }: Pick<Parts, 'tracing' | 'collector'>, count: number): Promise<readonly CollectedSpan[]> {
  await tracing.flush();
  await vi.waitUntil(() => collector.spans().length >= count, { timeout: 60_000 });
  return collector.spans();
}

describe('a traceparent', () => {
  it('is read as W3C has it, and written again', () => {
    const read = readTraceparent(INCOMING);
    expect(read).toEqual({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7', traceFlags: 1, isRemote: true });
    expect(read && writeTraceparent(read)).toBe(INCOMING);
    expect(readTraceparent('01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more')?.traceFlags).toBe(1);
  });

  it('that is malformed is none', () => {
    for (const bad of [undefined, '', 'x', INCOMING.toUpperCase(), `${INCOMING}-more`, INCOMING.replace('00-', 'ff-'), INCOMING.replace(/4bf9\w+/, '0'.repeat(32)), INCOMING.replace('00f067aa0ba902b7', '0'.repeat(16))]) {
      expect(readTraceparent(bad)).toBeUndefined();
    }
  });
});

describe('traces', () => {
  it('reach a collector, as parts of what came in', async () => {
    const { collector, tracing } = await traced({ OTEL_SERVICE_NAME: 'boat', OTEL_RESOURCE_ATTRIBUTES: 'team=sea%20rescue, zone=a' });
    const inner = await tracing.within('POST /restores', { kind: 'server', parent: INCOMING, attributes: { 'http.request.method': 'POST', left: undefined } }, async (span) => {
      const part = tracing.begin('open vaults');
      part.end();
      span.part('cut', 1_700_000_001_000, 1_700_000_002_500, { 'lifeboat.objects': 12 });
      return Promise.resolve(part.traceparent);
    });
    const spans = new Map((await collected({ tracing, collector }, 3)).map((span) => [span.name, span]));
    const request = spans.get('POST /restores');
    expect(request).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7', kind: 2, attributes: { 'http.request.method': 'POST' }, failed: undefined });
    expect(request?.resource).toMatchObject({ 'service.name': 'boat', 'service.version': '1.2.3', team: 'sea rescue', zone: 'a' });
    expect(spans.get('open vaults')).toMatchObject({ parentSpanId: request?.spanId, kind: 1 });
    expect(inner).toBe(`00-4bf92f3577b34da6a3ce929d0e0e4736-${spans.get('open vaults')?.spanId ?? ''}-01`);
    expect(spans.get('cut')).toMatchObject({ parentSpanId: request?.spanId, startedAt: 1_700_000_001_000, endedAt: 1_700_000_002_500, attributes: { 'lifeboat.objects': 12 } });
  });

  it('say what failed, by its code', async () => {
    const { collector, tracing } = await traced();
    await expect(tracing.within('step', {}, () => Promise.reject(new LifeboatError('LB_VAULT_FULL', 'no room')))).rejects.toThrow('no room');
    expect(await collected({ tracing, collector }, 1)).toMatchObject([{ name: 'step', failed: 'no room', attributes: { 'error.type': 'LB_VAULT_FULL' } }]);
  });

  it('hold no secret, in names, values, errors and the environment', async () => {
    const headers = 'authorization=Bearer%20collector-token-1';
    process.env['OTEL_EXPORTER_OTLP_HEADERS'] = headers;
    onTestFinished(() => {
      delete process.env['OTEL_EXPORTER_OTLP_HEADERS'];
    });
    const { collector, tracing, redactor } = await traced({ OTEL_EXPORTER_OTLP_HEADERS: headers });
    redactor.add('open-sesame-1');
    redactor.add('1234567890123');
    const span = tracing.begin('to open-sesame-1', { attributes: { 'open-sesame-1': 'x', url: 'https://me:hunter2hunter2@host', number: 1_234_567_890_123 } });
    span.fail(new Error('Bearer collector-token-1: open-sesame-1'));
    span.part('open-sesame-1', 1, 2, { a: 'open-sesame-1' });
    span.end();
    expect(await collected({ tracing, collector }, 2)).toHaveLength(2);
    expect(collector.headers()[0]).toMatchObject({ authorization: 'Bearer collector-token-1' });
    for (const secret of ['open-sesame-1', 'hunter2', 'collector-token-1', '1234567890123']) expect(collector.text()).not.toContain(secret);
  });

  it('give their ids to the lines of the log', async () => {
    const { tracing, lines } = await traced();
    const span = tracing.begin('step');
    const inside = span.run(() => lines()).at(-1);
    expect(`00-${String(inside?.['trace_id'])}-${String(inside?.['span_id'])}-01`).toBe(span.traceparent);
    expect(lines().at(-1)).not.toHaveProperty('trace_id');
  });

  it('are sampled as the environment and the parent say', async () => {
    const { collector, tracing } = await traced({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const root = tracing.begin('root');
    root.end();
    tracing.begin('sampled elsewhere', { parent: INCOMING }).end();
    expect((await collected({ tracing, collector }, 1)).map(({ name }) => name)).toEqual(['sampled elsewhere']);
    expect(root.traceparent).toMatch(/-00$/);
  });

  it('that nobody takes cost a line in the log, and nothing else', async () => {
    const { tracing, lines } = await traced({}, '/elsewhere');
    for (let i = 0; i < 3; i++) {
      tracing.begin('step').end();
      await tracing.flush();
    }
    const told = (): number => lines().filter(({ msg }) => msg === 'Traces are not sent').length;
    await vi.waitUntil(() => told() > 0, { timeout: 60_000 });
    expect(told()).toBe(1);
  });

  it('pass on what came in when there is no collector, and load nothing', async () => {
    const log = createLog({ redactor: new Redactor(), stream: { write: () => true }, env: {} });
    for (const env of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' }]) {
      const tracing = await startTracing({ redactor: new Redactor(), log, env });
      expect(tracing.enabled).toBe(false);
      expect(tracing.begin('x', { parent: INCOMING }).traceparent).toBe(INCOMING);
      expect(tracing.begin('x', { parent: 'nonsense' }).traceparent).toBeUndefined();
      expect(tracing.begin('x').run(() => 3)).toBe(3);
    }
  });

  it('hand on what came in to what goes on there, as a job takes it', async () => {
    const handedOn = (parent: string): Promise<string | undefined> => NO_TRACING.within('POST /v1/jobs', { parent }, async () => Promise.resolve(NO_TRACING.begin('submit').traceparent));
    expect(await handedOn(INCOMING)).toBe(INCOMING);
    expect(await handedOn(`${INCOMING.replace('00-', '01-')}-more`)).toBe(INCOMING);
    expect(await handedOn('nonsense')).toBeUndefined();
    expect(NO_TRACING.begin('submit').traceparent).toBeUndefined();
  });

  it('to an address that is none cost a line in the log, and nothing else', async () => {
    const log = { warn: vi.fn<Log['warn']>() };
    const tracing = await startTracing({ redactor: new Redactor(), log, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector, please' } });
    expect(tracing.enabled).toBe(false);
    expect(log.warn.mock.calls.map(([message]) => message)).toEqual(['Traces are not sent']);
  });

  it('load the SDK only when there is a collector', () => {
    const start = fileURLToPath(new URL('../../src/telemetry/traces/start.ts', import.meta.url));
    const loaded = (env: Readonly<Record<string, string>>): boolean => {
      const program = `const { startTracing } = await import(${JSON.stringify(start)}); await startTracing({ env: ${JSON.stringify(env)}, redactor: { add() {} }, log: {} });`;
      const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, env: { NODE_DEBUG: 'esm' } });
      expect(status).toBe(0);
      return /@opentelemetry\/(sdk-trace|exporter)/.test(stderr);
    };
    expect(loaded({})).toBe(false);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })).toBe(true);
  });
});
