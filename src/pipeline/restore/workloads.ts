import { z } from 'zod';
import { systemClock } from '../../core/clock.ts';
import { getObject } from '../../site/apply.ts';
import { typeName } from '../../site/types.ts';
import { forEachParallel } from '../for-each.ts';
import type { Outcome } from './results.ts';
import { nameEntry, targetType } from './run.ts';
import type { RestoreRun } from './run.ts';

/** Whether restored workloads came up in the time allowed. */
export interface WorkloadsResult {
  readonly ready: number;
  /** Those that were not ready when the time was over, the first of them. */
  readonly notReady: readonly string[];
  readonly notReadyCount: number;
}

const int = z.int().default(0);
const workload = z.object({
  metadata: z.object({ generation: int }),
  spec: z.looseObject({ replicas: z.int().default(1) }),
  status: z.looseObject({ observedGeneration: int, readyReplicas: int, numberReady: int, desiredNumberScheduled: int }).default({ observedGeneration: 0, readyReplicas: 0, numberReady: 0, desiredNumberScheduled: 0 }),
});
const pod = z.object({ status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })).default([]) }).default({ conditions: [] }) });

const isReady: Readonly<Record<string, (object: unknown) => boolean>> = {
  'deployments.apps': replicasReady,
  'statefulsets.apps': replicasReady,
  'replicationcontrollers': replicasReady,
  'daemonsets.apps': (object) => {
    const { metadata, status } = workload.parse(object);
    return status.observedGeneration >= metadata.generation && status.numberReady >= status.desiredNumberScheduled;
  },
  pods: (object) => pod.parse(object).status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
};

function replicasReady(object: unknown): boolean {
  const { metadata, spec, status } = workload.parse(object);
  return status.observedGeneration >= metadata.generation && status.readyReplicas >= spec.replicas;
}

const THERE: ReadonlySet<Outcome | undefined> = new Set<Outcome>(['created', 'updated', 'unchanged', 'kept']);
const PAUSE_MS = 1_000;
const READERS = 8;
const MOST_NAMED = 50;

/** Waits until the workloads of a restore are ready, `waitMs` at most. */
export async function waitForWorkloads(run: RestoreRun, waitMs: number): Promise<WorkloadsResult> {
  const waiting = new Set<number>();
  for (const [place, entry] of run.plan.entries.entries()) {
    if (isReady[typeName(run.typeOf(entry))] !== undefined && THERE.has(run.results.outcome(place))) waiting.add(place);
  }
  const all = waiting.size;
  const until = systemClock.now() + waitMs;
  for (;;) {
    await forEachParallel([...waiting], READERS, async (place) => {
      if (await ready(run, place)) waiting.delete(place);
    });
    run.phase('wait', all - waiting.size, all);
    if (waiting.size === 0 || systemClock.now() + PAUSE_MS > until) break;
    await systemClock.sleep(PAUSE_MS, run.signal);
  }
  const names = [...waiting].slice(0, MOST_NAMED).map((place) => nameEntry(run.typeOf(run.entry(place)), run.entry(place)));
  return { ready: all - waiting.size, notReady: names, notReadyCount: waiting.size };
}

async function ready(run: RestoreRun, place: number): Promise<boolean> {
  const entry = run.entry(place);
  const type = targetType(run.typeOf(entry));
  const raw = await getObject(run.target, type, entry.namespace, entry.name, { signal: run.signal });
  // One that somebody has deleted is not waited for.
  return raw === undefined || isReady[typeName(type)]?.(JSON.parse(raw.toString('utf8'))) === true;
}
