import { EXIT } from '../../core/error-codes.ts';
import { keepMemoryLow } from '../engine.ts';
import { openWorkProcess } from '../../jobs/process.ts';
import type { Context } from '../context.ts';

export interface WorkerCommandOptions {
  readonly concurrency: number;
  /** Milliseconds. */
  readonly step: number;
  readonly schedule: boolean;
  readonly once?: boolean;
}

/** With `--once` there is no deadline. */
const NEVER = 365 * 86_400_000;

/** `lifeboat worker`: until it is stopped, or with `--once` until nothing is left. What happens is told by its log. */
export async function worker(context: Context, { concurrency, step, schedule, once }: WorkerCommandOptions, version: string): Promise<number> {
  const { output, signal } = context;
  keepMemoryLow();
  const process = await openWorkProcess({ surroundings: context, redactor: output.redactor, version });
  try {
    const pace = { concurrency, stepMs: step, schedules: schedule };
    process.telemetry.log.info(`working on ${process.queue.product}`);
    await (once === true ? process.drain(pace, Date.now() + NEVER, signal) : process.work(pace, signal));
    return EXIT.ok;
  } finally {
    await process.close();
  }
}
