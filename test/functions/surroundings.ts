import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import type { OnWarning } from '../../src/core/progress.ts';
import { Redactor } from '../../src/core/redact.ts';
import { openFunctionApi } from '../../src/functions/open-api.ts';
import type { FunctionSurroundings, LogRecord } from '../../src/functions/surroundings.ts';
import { formatAuditKey, generateAuditKey } from '../../src/keys/audit-key.ts';
import { traced } from '../../src/jobs/observe/traces.ts';
import { NO_TRACING } from '../../src/telemetry/traces/tracing.ts';
import type { Tracing } from '../../src/telemetry/traces/tracing.ts';
import { JobServiceDouble } from './job-service-double.ts';

export const FIXTURE = fileURLToPath(new URL('fixture/', import.meta.url));

/** An empty folder of this test. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-functions-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestSurroundings extends FunctionSurroundings {
  readonly queue: JobServiceDouble;
  readonly lines: LogRecord[];
}

export interface Given {
  /** Changes the text of the fixture's lifeboat.yaml. */
  readonly change?: (text: string) => string;
  readonly now?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: none. */
  readonly tracing?: Tracing;
}

/** What handlers work with, on the fixture's lifeboat.yaml and a double of the queue. */
export async function testSurroundings({ change = (text) => text, now = '2026-11-26T14:00:00Z', env = {}, tracing = NO_TRACING }: Given = {}): Promise<TestSurroundings> {
  const queue = new JobServiceDouble(join(await ownFolder(), 'jobs'), (job) => traced(job, tracing));
  const config: Config = parseConfig(change(await readFile(join(FIXTURE, 'lifeboat.yaml'), 'utf8')), 'lifeboat.yaml');
  const lines: LogRecord[] = [];
  return {
    env,
    queue,
    lines,
    now: () => Date.parse(now),
    log: (record) => lines.push(record),
    config: () => Promise.resolve(config),
    tracing: () => Promise.resolve(tracing),
    jobs: () => Promise.resolve(queue),
    api: () => Promise.reject(new Error('nobody asks in this test')),
    worker: () => Promise.reject(new Error('nobody works in this test')),
  };
}

/** The same with the real API, whose audit trail goes into a vault in a folder. `issuer` gives the tokens. */
export async function apiSurroundings(issuer: string, given: Pick<Given, 'env' | 'tracing'> = {}): Promise<TestSurroundings & { readonly vault: string }> {
  const vault = join(await ownFolder(), 'vault');
  await mkdir(vault);
  const near = `  near: { type: directory, path: ${vault} }`;
  const surroundings = await testSurroundings({
    ...given,
    change: (text) =>
      text
        .replace(/^ {2}near: .*$/m, near)
        .replace(/^ {2}(?:far|other): .*\n/gm, '')
        .replace('[near, far, other]', '[near]')
        .replace('vaults: [far]', 'vaults: [near]')
        .replace(/^ {4}lock: .*\n/m, '')
        .replace('https://login.example.net/', issuer),
  });
  const env = { ...surroundings.env, LIFEBOAT_AUDIT_KEY: formatAuditKey(generateAuditKey()) };
  const config = await surroundings.config();
  const tracing = await surroundings.tracing();
  const warn: OnWarning = ({ message }) => surroundings.lines.push({ message });
  const onError = (error: unknown): void => void surroundings.lines.push({ level: 'error', message: String(error) });
  const opened = openFunctionApi({ env, config, jobs: surroundings.queue, tracing, redactor: new Redactor(), warn, onError });
  return { ...surroundings, vault, api: () => opened };
}
