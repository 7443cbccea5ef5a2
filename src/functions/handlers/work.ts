import type { Drained, FunctionSurroundings } from '../surroundings.ts';
import type { WorkTrigger } from '../trigger.ts';

/** What is kept of the time for the answer and the platform, ms. */
const MARGIN = 1_500;

/** Drains the queue for as long as this call may take. Steps that are not through by then are put away, and go on in the next call. */
export async function work(trigger: WorkTrigger, surroundings: FunctionSurroundings): Promise<Drained> {
  const deadline = trigger.detail.deadline - MARGIN;
  const left = deadline - surroundings.now();
  if (left <= 0) return { steps: 0, empty: false };
  const memory = Number(surroundings.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? Number.NaN) * 2 ** 20;
  const worker = await surroundings.worker();
  const drained = await worker.drain({ deadline, ...(Number.isFinite(memory) && { memory }) }, AbortSignal.timeout(left));
  surroundings.log({ message: drained.empty ? 'the queue is empty' : 'the time is up', steps: drained.steps });
  return drained;
}
