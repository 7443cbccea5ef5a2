import { LifeboatError } from '../core/errors.ts';
import { Redactor } from '../core/redact.ts';
import type { Config } from '../config/load.ts';
import { activeIds } from '../telemetry/traces/active.ts';
import { startTracing } from '../telemetry/traces/start.ts';
import type { ApiAccess, FunctionApi } from './open-api.ts';
import type { FunctionSurroundings, LogRecord, QueueAccess, Worker } from './surroundings.ts';
import { VERSION } from './version.ts';

/** Opens something at the first call, and again after it could not be opened. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/** What only some functions have: loaded by those alone, so that the others do not carry it. */
export interface Parts {
  readonly api?: () => Promise<{ readonly openFunctionApi: (access: ApiAccess) => Promise<FunctionApi> }>;
  readonly worker?: () => Promise<{ readonly openWorker: (access: QueueAccess) => Promise<Worker> }>;
}

/** The surroundings of this process: its environment, secrets fetched when they are first needed, the log on stdout. */
export function processSurroundings({ api, worker }: Parts = {}, env: NodeJS.ProcessEnv = process.env): FunctionSurroundings {
  const redactor = new Redactor();
  const hide = (secret: string): void => redactor.add(secret);
  const warn = (message: string): void => log({ message });
  const secrets = once(async () => {
    if (env['LIFEBOAT_SECRETS'] === undefined) return;
    const { resolveSecrets } = await import('./secrets/resolve.ts');
    await resolveSecrets(env, hide);
  });
  const config = once(async (): Promise<Config> => (await import('./config.ts')).functionConfig(env));
  const tracing = once(() => startTracing({ redactor, log: { warn: (message, fields) => log({ message, ...fields }) }, env, version: VERSION }));
  const access = async (): Promise<QueueAccess> => {
    const [known, traces] = await Promise.all([config(), tracing(), secrets()]);
    return { config: known, env, redactor, warn, tracing: traces };
  };
  const jobs = once(async () => (await import('./open-jobs.ts')).openJobs(await access()));
  const log = (record: LogRecord): void => {
    process.stdout.write(`${redactor.redact(line(record))}\n`);
  };
  return {
    env,
    now: () => Date.now(),
    log,
    config,
    tracing,
    jobs,
    api: once(async () => {
      const [{ openFunctionApi }, { config: known, tracing: traces }, service] = await Promise.all([(api ?? lacking)(), access(), jobs()]);
      const onError = (error: unknown): void => log({ level: 'error', message: error instanceof Error ? error.message : String(error), code: 'LB_INTERNAL' });
      return openFunctionApi({ env, config: known, jobs: service, tracing: traces, redactor, warn: ({ message }) => log({ message }), onError });
    }),
    worker: once(async () => (await (worker ?? lacking)()).openWorker(await access())),
  };
}

function lacking(): Promise<never> {
  return Promise.reject(new LifeboatError('LB_INTERNAL', 'This function was built without what it is asked for'));
}

/** One line of JSON, as log services read it. */
function line({ level = 'info', ...record }: LogRecord): string {
  return JSON.stringify({ level, time: new Date().toISOString(), ...record, ...activeIds() });
}
