import { appendFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { Redactor } from '../../src/core/redact.ts';
import { openTelemetry } from '../../src/jobs/observe.ts';
import type { Telemetry, TelemetryOptions } from '../../src/jobs/observe.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { createLog } from '../../src/telemetry/log/log.ts';
import { keptHome } from '../cli/kept-home.ts';
import type { KeptHome } from '../cli/kept-home.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { DoubleAnswer, RecordedRequest } from '../testbed/http-double.ts';
import { messageBody } from './message-body.ts';
import type { MessageBody } from './message-body.ts';

/** A process that tells of what it does, of a home of points, with somebody who listens. */
export interface Telling extends KeptHome {
  readonly telemetry: Telemetry;
  /** Sets the time, minutes after `START`. */
  readonly at: (minutes: number) => void;
  /** Messages so far, all of them sent. */
  readonly messages: () => Promise<readonly MessageBody[]>;
  readonly heartbeats: () => Promise<number>;
  readonly lines: () => readonly Record<string, unknown>[];
  readonly metrics: () => Promise<readonly string[]>;
}

export const START = Date.parse('2026-03-14T10:00:00.000Z');

/** The time, `minutes` after the start. */
export function iso(minutes: number): string {
  return new Date(START + minutes * 60_000).toISOString();
}

export async function telling(plans: string, { on = '', ...options }: Partial<TelemetryOptions> & { readonly env?: NodeJS.ProcessEnv; readonly on?: string } = {}): Promise<Telling> {
  const kept = await keptHome(plans);
  const double = await startHttpDouble((_request: RecordedRequest): DoubleAnswer => ({ status: 200 }));
  onTestFinished(() => double[Symbol.asyncDispose]());
  await appendFile(kept.home.path('lifeboat.yaml'), `notify: {webhooks: [{urlEnv: HOOK, secretEnv: HOOK_SECRET${on}}], heartbeat: {urlEnv: BEAT}}\n`);
  const env = { HOOK: `${double.url}/hook`, HOOK_SECRET: 'whsec-0123456789', BEAT: `${double.url}/beat`, ...options.env };
  const redactor = new Redactor();
  const surroundings = new WorkSurroundings({ env, configFile: kept.home.path('lifeboat.yaml'), redactor }, new AbortController().signal, () => {});
  let now = START;
  const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
  let text = '';
  const log = createLog({ redactor, level: 'trace', env: {}, stream: { write: (line: string) => (text += line) } });
  const telemetry = await openTelemetry({ surroundings, redactor, version: '1.2.3', clock, log, ...options });
  onTestFinished(() => telemetry.close());
  return {
    ...kept,
    telemetry,
    at: (minutes) => {
      now = START + minutes * 60_000;
    },
    async messages() {
      await telemetry.flush();
      return double.requests.filter(({ url }) => url.pathname === '/hook').map(({ body }) => messageBody.parse(JSON.parse(body.toString())));
    },
    async heartbeats() {
      await telemetry.flush();
      return double.requests.filter(({ url }) => url.pathname === '/beat').length;
    },
    lines: () => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>])),
    async metrics() {
      return (await telemetry.metricsText()).text.split('\n').filter((line) => !line.startsWith('#'));
    },
  };
}
