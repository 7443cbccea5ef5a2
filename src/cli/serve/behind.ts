import { openWorkProcess } from '../../jobs/process.ts';
import type { Context } from '../context.ts';
import type { Behind, ServeOptions } from './serve.ts';

/** The queue of lifeboat.yaml behind the API, and, unless it is told to do none, a worker in the same process that starts what is due. */
export async function openBehind(context: Context, { concurrency, step, schedule }: ServeOptions, version: string): Promise<Behind> {
  const process = await openWorkProcess({ surroundings: context, redactor: context.output.redactor, version });
  return {
    jobs: process.jobs,
    tracing: process.telemetry.tracing,
    metrics: { read: () => process.telemetry.metricsText() },
    ...(concurrency > 0 && { run: (signal) => process.work({ concurrency, stepMs: step, schedules: schedule }, signal) }),
    close: () => process.close(),
  };
}
