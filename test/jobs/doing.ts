import { setTimeout as sleep } from 'node:timers/promises';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Cancelled, OutOfTime, stopSignal } from '../../src/core/budget.ts';
import type { OnProgress } from '../../src/core/progress.ts';
import { Redactor } from '../../src/core/redact.ts';
import type { Job } from '../../src/jobs/job.ts';
import type { StepOutcome } from '../../src/jobs/step.ts';
import { workOn } from '../../src/jobs/work/work.ts';
import type { Json } from '../../src/repository/api.ts';
import type { Home } from '../cli/home.ts';

/** A step that is asked to stop has so much time: little enough to be one of many, and more than a test takes. */
const LONG_MS = 10 * 60_000;

export interface Doing {
  /** Milliseconds of a step. Default: no limit, and ten minutes with `onStep`. */
  readonly stepMs?: number;
  /** Given for each step what asks it to put away what it has done, as when its time is nearly over, and the number of the step, from 1. */
  readonly onStep?: (stop: () => void, step: number) => void;
  readonly onProgress?: OnProgress;
  /** So many steps are cut off at their deadline, or after so many milliseconds, as a function is that runs out of time. */
  readonly cutOff?: { readonly steps: number; readonly afterMs: number };
  readonly env?: NodeJS.ProcessEnv;
  readonly memo?: Json;
  /** Cancels the job when this resolves. */
  readonly cancel?: Promise<unknown>;
}

/** Does a job without a queue, step after step, as often as it takes. Gives what it came to, and how many steps that took. */
export async function doJob(home: Home, job: Job, { stepMs, onStep, onProgress = () => {}, cutOff, env = process.env, memo: first, cancel }: Doing = {}): Promise<{ readonly outcome: StepOutcome; readonly steps: number; readonly warnings: readonly string[] }> {
  const warnings: string[] = [];
  const whole = new WorkSurroundings({ env, configFile: home.path('lifeboat.yaml'), redactor: new Redactor() }, new AbortController().signal, () => {});
  let memo = first;
  for (let steps = 1; ; steps++) {
    const stop = new AbortController();
    void cancel?.then(() => stop.abort(new Cancelled()));
    const surroundings = whole.forStep(stop.signal, ({ message }) => warnings.push(message));
    const asked = new AbortController();
    onStep?.(() => asked.abort(new OutOfTime()), steps);
    const ms = stepMs ?? (onStep && LONG_MS);
    const budget = ms === undefined ? {} : { deadline: systemClock.now() + ms };
    const until = stopSignal(budget, systemClock.now());
    const working = workOn(job, { surroundings, budget, until: AbortSignal.any([until.signal, asked.signal]), clock: systemClock, onProgress, memo });
    working.catch(() => {});
    try {
      if (cutOff !== undefined && steps <= cutOff.steps) {
        await Promise.race([working, sleep(cutOff.afterMs)]);
        stop.abort(new Error('cut off'));
        await working.catch(() => {});
        continue;
      }
      const outcome = await working;
      if (!('again' in outcome)) return { outcome, steps, warnings };
      memo = outcome.again;
    } finally {
      until.clear();
    }
  }
}
