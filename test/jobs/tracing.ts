import { onTestFinished } from 'vitest';
import { Redactor } from '../../src/core/redact.ts';
import { openWorkProcess } from '../../src/jobs/process.ts';
import type { WorkProcess } from '../../src/jobs/process.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import type { Home } from '../cli/home.ts';
import { startCollectorDouble } from '../telemetry/collector-double.ts';
import type { CollectedSpan, CollectorDouble } from '../telemetry/collector-double.ts';

/** A caller's span, as its header names it. */
export const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
export const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

export async function collecting(): Promise<CollectorDouble> {
  const collector = await startCollectorDouble();
  onTestFinished(() => collector[Symbol.asyncDispose]());
  return collector;
}

/** A process on the queue of a home, whose spans go to the collector, if there is one. Close it before the next. */
export function workProcess(home: Pick<Home, 'path'>, collector?: CollectorDouble): Promise<WorkProcess> {
  const env = { ...process.env, LIFEBOAT_LOG: 'silent', ...(collector && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }) };
  const redactor = new Redactor();
  const surroundings = new WorkSurroundings({ env, configFile: home.path('lifeboat.yaml'), redactor }, new AbortController().signal, () => {});
  return openWorkProcess({ surroundings, redactor, version: '1.2.3' });
}

/** Does what is in the queue. `schedules`: and what is due. */
export async function workOff(working: WorkProcess, schedules = false): Promise<void> {
  await working.drain({ concurrency: 1, stepMs: 60_000, schedules }, Date.now() + 90_000);
}

/** The spans of these names. */
export function spansOf(collector: CollectorDouble, ...names: string[]): readonly CollectedSpan[] {
  return collector.spans().filter(({ name }) => names.includes(name));
}
