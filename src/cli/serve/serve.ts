import { stat } from 'node:fs/promises';
import type { Config } from '../../config/load.ts';
import type { ServerConfig } from '../../config/service-schema.ts';
import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { JobService } from '../../jobs/service.ts';
import { listen } from '../../server/listen.ts';
import type { Listening } from '../../server/listen.ts';
import { noServer, openApi } from '../../server/open.ts';
import type { MetricsSource, RequestLog } from '../../server/parts.ts';
import type { Tracing } from '../../telemetry/traces/tracing.ts';
import type { Context } from '../context.ts';

/** How often the files of TLS are looked at, ms: whoever renews certificates only puts files there. */
const LOOK_AT_FILES = 30_000;
/** How long requests that are under way are waited for at the end, ms. */
const GRACE = 20_000;

/** What stands behind the API in this process. */
export interface Behind {
  readonly jobs: JobService;
  /** Has due jobs queued, and whatever else this process does beside, until the signal fires. */
  readonly run?: (signal: AbortSignal) => Promise<void>;
  readonly metrics?: MetricsSource;
  readonly tracing?: Tracing;
  close(): Promise<void>;
}

/** How much this process works on jobs beside serving. */
export interface ServeOptions {
  /** Jobs at once; 0: none, they are for workers elsewhere. */
  readonly concurrency: number;
  /** Milliseconds. */
  readonly step: number;
  readonly schedule: boolean;
}

/** Opens what is behind the API: the queue of lifeboat.yaml, and the schedules of its plans. */
export type OpenJobs = (context: Context, options: ServeOptions) => Promise<Behind>;

/** `lifeboat serve`: the API and the schedules, until it is told to stop. */
export async function serve(context: Context, version: string, options: ServeOptions, openJobs: OpenJobs, onListening: (url: string) => void = () => undefined): Promise<number> {
  const config = await context.config();
  const { output, signal } = context;
  if (config.server === undefined) throw noServer(config);
  if (options.concurrency === 0) refuseEmbedded(config);
  const behind = await openJobs(context, options);
  try {
    const api = await openApi(context, {
      jobs: behind.jobs,
      version,
      redact: (text) => output.redactor.redact(text),
      stopping: signal,
      log: (line) => output.note(logLine(line)),
      metrics: behind.metrics,
      tracing: behind.tracing,
    });
    try {
      const listening = await listen(api.app, config.server);
      const files = watchFiles(config.server, listening, (problem) => output.warn({ kind: 'certificate-unusable', message: `going on with the certificate that was there before: ${problem}` }));
      output.note(`listening on ${listening.url}`);
      if (!listening.isPrivate) output.warn({ kind: 'plain-http', message: 'tokens and answers can be read on the way: name `server.certificate` and `server.key`, or let nothing but a proxy with TLS reach this address', where: listening.url });
      onListening(listening.url);
      try {
        await Promise.all([behind.run?.(signal), untilAborted(signal)]);
      } finally {
        clearInterval(files);
        await listening.close(GRACE);
      }
    } finally {
      await api.close();
    }
  } finally {
    await behind.close();
  }
  output.note('stopped');
  return EXIT.ok;
}

/** No worker elsewhere reaches a queue that is in this process. */
function refuseEmbedded({ file, queue }: Config): void {
  if (queue.type !== 'embedded') return;
  throw new LifeboatError('LB_QUEUE_UNSUITABLE', 'Nobody would do the jobs: with --concurrency 0 they are for workers elsewhere, and the embedded queue is open to this process alone', {
    where: file,
    hint: 'Leave --concurrency 0 out, or name a Valkey, Redis or PostgreSQL server under `queue`.',
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Reads certificate, key and authorities again when one of the files has changed. */
function watchFiles({ certificate, key, mtls }: ServerConfig, listening: Listening, onProblem: (problem: string) => void): NodeJS.Timeout {
  const paths = [certificate, key, mtls?.ca].filter((path) => path !== undefined);
  const look = async (): Promise<string> => JSON.stringify(await Promise.all(paths.map((path) => stat(path).then(({ ino, mtimeMs, size }) => [ino, mtimeMs, size], () => []))));
  let known = look();
  return setInterval(() => {
    void (async () => {
      const [before, now] = [await known, await look()];
      known = Promise.resolve(now);
      if (before !== now) await listening.reload();
    })().catch((error: unknown) => onProblem(messageOf(error)));
  }, LOOK_AT_FILES).unref();
}

function logLine({ code, error, id, method, milliseconds, route, status, who }: RequestLog): string {
  const why = error === undefined ? '' : ` ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`;
  return `${new Date().toISOString()} ${id} ${method} ${route} ${status} ${milliseconds} ms${who === undefined ? '' : ` ${who}`}${code === undefined ? '' : ` ${code}`}${why}`;
}
