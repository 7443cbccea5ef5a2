import { describe, expect, it, onTestFinished } from 'vitest';
import { Redactor } from '../../src/core/redact.ts';
import type { StepEnd } from '../../src/jobs/events.ts';
import { jobSchema, slotJob } from '../../src/jobs/job.ts';
import type { Job } from '../../src/jobs/job.ts';
import { openTelemetry } from '../../src/jobs/observe.ts';
import type { Telemetry } from '../../src/jobs/observe.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { keptHome } from '../cli/kept-home.ts';
import { startCollectorDouble } from '../telemetry/collector-double.ts';
import { iso, START, telling } from './telling.ts';

const PROD = 'prod: {site: prod, vaults: [near, far], copies: 2}';
const INCOMING = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const backup = (slot = 0): Job => slotJob('backup', 'prod', START + slot * 60_000, START);
const asked = (id: string): Job => jobSchema.parse({ kind: 'restore', id, requestedBy: 'ada', at: iso(0), request: { plan: 'prod', target: 'edge' } });
const drill: Job = slotJob('drill', 'prod', START, START);

const done: StepEnd = {
  outcome: 'done',
  seconds: 2,
  result: { point: 'p1', safe: true, objects: 20, vaults: ['near', 'far'], absent: [], stats: { recordsTotal: 20, plaintextBytes: 1000, storedBytes: 300, newChunks: 1, newPlaintextBytes: 1, packs: 1 } },
};
const failed = (last: boolean): StepEnd => ({ outcome: 'failed', seconds: 1, last, failure: { code: 'LB_VAULT_FULL', message: 'no room left', where: 'vault "far"', hint: 'Make room.' } });

function step({ observers }: Telemetry, job: Job, end: StepEnd, waitedMs?: number): void {
  for (const observer of observers) observer.began(job, 1, waitedMs);
  for (const observer of observers) observer.ended(job, end);
}

describe('a job', () => {
  it('is one trace from whoever asked for it through the queue to its phases', async () => {
    await using collector = await startCollectorDouble();
    const { telemetry, at, lines } = await telling(PROD, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
    const job = telemetry.traced(backup(), { parent: INCOMING });
    expect(jobSchema.parse(JSON.parse(JSON.stringify(job)))).toEqual(job);
    expect(telemetry.traced(job).traceparent).toBe(job.traceparent);
    at(1);
    for (const observer of telemetry.observers) observer.began(job, 1, 5_000);
    await telemetry.within(job, () => Promise.resolve(telemetry.log.info('inside')));
    const heard = (phase: string, count: number, total?: number): void => {
      for (const observer of telemetry.observers) observer.progressed?.(job, { phase, done: count, unit: 'objects', ...(total !== undefined && { total }) });
    };
    heard('cut', 0, 20);
    heard('store', 0);
    at(2);
    heard('cut', 20, 20);
    at(3);
    heard('cut', 20, 20);
    heard('store', 20);
    for (const observer of telemetry.observers) observer.ended(job, done);
    await telemetry.flush();
    const spans = new Map(collector.spans().map((span) => [span.name, span]));
    const [submit, wait, own] = ['submit backup', 'wait in the queue', 'backup step'].map((name) => spans.get(name));
    expect(new Set(collector.spans().map(({ traceId }) => traceId))).toEqual(new Set(['4bf92f3577b34da6a3ce929d0e0e4736']));
    expect(submit).toMatchObject({ parentSpanId: '00f067aa0ba902b7', kind: 4 });
    expect(wait).toMatchObject({ parentSpanId: submit?.spanId, startedAt: START + 55_000, endedAt: START + 60_000 });
    expect(own).toMatchObject({ parentSpanId: submit?.spanId, kind: 5, startedAt: START + 60_000, endedAt: START + 180_000, attributes: { 'lifeboat.job.id': job.id, 'lifeboat.plan': 'prod', 'lifeboat.site': 'prod', 'lifeboat.outcome': 'done' } });
    expect(spans.get('cut')).toMatchObject({ parentSpanId: own?.spanId, startedAt: START + 60_000, endedAt: START + 120_000, attributes: { 'lifeboat.objects': 20 } });
    expect(spans.get('store')).toMatchObject({ parentSpanId: own?.spanId, endedAt: START + 180_000 });
    expect(lines().find(({ msg }) => msg === 'inside')).toMatchObject({ trace_id: own?.traceId, span_id: own?.spanId });
  });

  it('keeps the trace that came in although nobody collects traces', async () => {
    const { telemetry } = await telling(PROD);
    expect(telemetry.traced(backup(), { parent: INCOMING })).toEqual({ ...backup(), traceparent: INCOMING });
    expect(telemetry.traced(backup())).toEqual(backup());
  });

  it('is in the log with its end, and in the metrics', async () => {
    const { telemetry, lines, metrics, at } = await telling(PROD);
    at(2);
    step(telemetry, backup(), done, 1_500);
    step(telemetry, backup(1), failed(false));
    step(telemetry, backup(1), failed(true));
    step(telemetry, asked('restore.r1'), { outcome: 'again', seconds: 60 });
    expect(lines().filter(({ level }) => level !== 'debug')).toMatchObject([
      { level: 'info', msg: 'backup done', job: 'backup.prod.20260314T100000Z', kind: 'backup', plan: 'prod', site: 'prod', outcome: 'done', seconds: 2, result: { point: 'p1', safe: true, objects: 20 } },
      { level: 'warn', code: 'LB_VAULT_FULL', where: 'vault "far"', hint: 'Make room.', outcome: 'failed' },
      { level: 'error', msg: 'backup failed: no room left', code: 'LB_VAULT_FULL' },
    ]);
    expect(await metrics()).toEqual(
      expect.arrayContaining([
        'lifeboat_jobs_total{kind="backup",outcome="done"} 1',
        'lifeboat_jobs_total{kind="backup",outcome="failed"} 1',
        'lifeboat_job_steps_total{kind="restore",outcome="again"} 1',
        'lifeboat_job_failures_total{kind="backup",code="LB_VAULT_FULL"} 2',
        'lifeboat_jobs_active{kind="backup"} 0',
        'lifeboat_job_duration_seconds_sum{kind="backup"} 120',
        'lifeboat_job_wait_seconds_sum{kind="backup"} 1.5',
        'lifeboat_backup_read_bytes_total{plan="prod"} 1000',
        'lifeboat_backup_stored_bytes_total{plan="prod"} 300',
        'lifeboat_backup_objects{plan="prod"} 20',
      ]),
    );
  });

  it('that fails again and again by itself is told once, until it was well; one that somebody asked for, each time', async () => {
    const { telemetry, messages } = await telling(PROD);
    step(telemetry, backup(0), failed(false));
    expect(await messages()).toEqual([]);
    for (const slot of [0, 5, 10]) step(telemetry, backup(slot), failed(true));
    step(telemetry, asked('restore.r1'), failed(true));
    step(telemetry, asked('restore.r2'), failed(true));
    const first = await messages();
    expect(first.map(({ id }) => id).sort()).toEqual([`failure.${backup(0).id}`, 'failure.restore.r1', 'failure.restore.r2']);
    expect(first.find(({ plan, job }) => plan === 'prod' && job?.kind === 'backup')).toMatchObject({
      event: 'failure',
      ok: false,
      site: 'prod',
      text: 'lifeboat: backup of plan "prod" failed: no room left (LB_VAULT_FULL)',
      failure: { code: 'LB_VAULT_FULL', message: 'no room left', where: 'vault "far"', hint: 'Make room.' },
    });
    step(telemetry, backup(15), done);
    await messages();
    step(telemetry, backup(20), failed(true));
    expect((await messages()).map(({ id }) => id)).toContain(`failure.${backup(20).id}`);
  });

  it('of the kinds that a webhook wants is told when it ends; a drill that did not pass is a failure, and told once', async () => {
    const { telemetry, messages } = await telling(PROD, { on: ', on: [failure, backup, restore, drill]' });
    step(telemetry, backup(), done);
    step(telemetry, backup(5), { outcome: 'done', seconds: 1, result: { covered: 'p1' } });
    step(telemetry, asked('restore.r1'), { outcome: 'unconfirmed', seconds: 1, result: {} });
    step(telemetry, asked('restore.r2'), { outcome: 'done', seconds: 90, result: { ok: true, point: 'p1', seconds: 95 } });
    step(telemetry, drill, { outcome: 'done', seconds: 30, result: { ok: false, point: { id: 'p1' }, rto: { seconds: 12 } } });
    const told = await messages();
    expect(told.map(({ event, ok, text }) => [event, ok, text])).toEqual([
      ['backup', true, 'lifeboat: backup of plan "prod" made a safe point in 2.0 s'],
      ['restore', true, 'lifeboat: restore of plan "prod" into site "edge" waits for its plan to be confirmed'],
      ['restore', true, 'lifeboat: restore of plan "prod" into site "edge" is done in 1 min 30 s'],
      ['drill', false, 'lifeboat: drill of plan "prod" did not pass'],
    ]);
    expect(told.at(-1)?.details).toEqual({ point: 'p1', rtoSeconds: 12, seconds: 30 });
  });

  it('that failed is a failed drill too for those who only want failures', async () => {
    const { telemetry, messages } = await telling(PROD);
    step(telemetry, drill, { outcome: 'done', seconds: 30, result: { ok: false } });
    step(telemetry, drill, { outcome: 'done', seconds: 30, result: { ok: true } });
    expect((await messages()).map(({ event, ok }) => [event, ok])).toEqual([['drill', false]]);
  });
});

describe('telemetry', () => {
  it('names the variable that is not set, or holds no address', async () => {
    await expect(telling(PROD, { env: { HOOK: undefined } })).rejects.toMatchObject({ code: 'LB_KEY_MISSING', where: '$HOOK' });
    await expect(telling(PROD, { env: { BEAT: 'open-sesame-1' } })).rejects.toMatchObject({ code: 'LB_USAGE', where: '$BEAT' });
    await expect(telling(PROD, { env: { BEAT: 'open-sesame-1' } })).rejects.not.toThrow('open-sesame-1');
  });

  it('needs nothing in lifeboat.yaml', async () => {
    const { home } = await keptHome(PROD);
    const redactor = new Redactor();
    const surroundings = new WorkSurroundings({ env: {}, configFile: home.path('lifeboat.yaml'), redactor }, new AbortController().signal, () => {});
    const telemetry = await openTelemetry({ surroundings, redactor, version: '1.2.3' });
    onTestFinished(() => telemetry.close());
    await telemetry.ticked();
    expect((await telemetry.metricsText()).text).toContain('lifeboat_build_info{version="1.2.3"');
  });

  it('shows the queue, and that it is away', async () => {
    let away = false;
    const { metrics } = await telling(PROD, { counts: () => (away ? Promise.reject(new Error('gone')) : Promise.resolve({ waiting: 2, parked: 1 })) });
    expect(await metrics()).toEqual(expect.arrayContaining(['lifeboat_queue_up 1', 'lifeboat_queue_jobs{state="waiting"} 2', 'lifeboat_queue_jobs{state="parked"} 1']));
    away = true;
    const shown = await metrics();
    expect(shown).toContain('lifeboat_queue_up 0');
    expect(shown.filter((line) => line.startsWith('lifeboat_queue_jobs'))).toEqual([]);
  });
});
