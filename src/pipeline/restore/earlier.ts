import { z } from 'zod';
import { typeName } from '../../site/types.ts';
import type { Outcome } from './results.ts';
import type { Phase, RestoreRun, WaveTime } from './run.ts';

const seconds = z.number().min(0);
const count = z.int().min(0);

/** What steps before this one did of a restore that is done in several. It can be kept as JSON. */
export const earlierSchema = z.object({
  /** When the first began, in milliseconds since the epoch. */
  startedAt: z.number(),
  phases: z.array(z.object({ name: z.enum(['load', 'discover', 'plan', 'apply', 'wait', 'verify']), seconds })).readonly(),
  waves: z.array(z.object({ wave: z.int(), name: z.string(), objects: count, seconds })).readonly(),
  /** Objects that were written, by type. Later steps find them equal. */
  written: z.record(z.string(), z.object({ created: count, updated: count }).readonly()).readonly(),
});
export type Earlier = z.output<typeof earlierSchema>;

/** What a step that was stopped has done, with what was done before it. */
export function stoppedAt(run: RestoreRun, step: { readonly startedAt: number; readonly phases: readonly Phase[] }, before: Earlier | undefined): Earlier {
  const written: Record<string, { created: number; updated: number }> = structuredClone({ ...before?.written });
  for (const [place, entry] of run.plan.entries.entries()) {
    const outcome = run.results.outcome(place);
    if (outcome !== 'created' && outcome !== 'updated') continue;
    const ofType = (written[typeName(run.typeOf(entry))] ??= { created: 0, updated: 0 });
    ofType[outcome] += 1;
  }
  return { startedAt: before?.startedAt ?? step.startedAt, phases: allPhases(before, step.phases), waves: allWaves(before, run.waves), written };
}

/** The phases of all steps, each once. */
export function allPhases(before: Earlier | undefined, phases: readonly Phase[]): Phase[] {
  const sums = new Map<Phase['name'], number>();
  for (const phase of [...(before?.phases ?? []), ...phases]) sums.set(phase.name, (sums.get(phase.name) ?? 0) + phase.seconds);
  return [...sums].map(([name, sum]) => ({ name, seconds: sum }));
}

/** The waves of all steps, each once. */
export function allWaves(before: Earlier | undefined, waves: readonly WaveTime[]): WaveTime[] {
  const sums = new Map<number, WaveTime>();
  for (const wave of [...(before?.waves ?? []), ...waves]) {
    const sum = sums.get(wave.wave);
    sums.set(wave.wave, { ...wave, objects: wave.objects + (sum?.objects ?? 0), seconds: wave.seconds + (sum?.seconds ?? 0) });
  }
  return [...sums.values()].toSorted((a, b) => a.wave - b.wave);
}

/** Counts what earlier steps wrote as written, where this one found it equal. What somebody has removed since is not among it any more. */
export function withWritten(objects: Partial<Record<Outcome, number>>, written: { readonly created: number; readonly updated: number } | undefined): Partial<Record<Outcome, number>> {
  const counts = { ...objects };
  for (const outcome of ['created', 'updated'] as const) {
    const moved = Math.min(written?.[outcome] ?? 0, counts.unchanged ?? 0);
    if (moved === 0) continue;
    counts[outcome] = (counts[outcome] ?? 0) + moved;
    counts.unchanged = (counts.unchanged ?? 0) - moved;
    if (counts.unchanged === 0) delete counts.unchanged;
  }
  return counts;
}
