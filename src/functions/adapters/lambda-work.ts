import type { WorkHandler } from '../handlers/handler.ts';
import { processSurroundings } from '../process-surroundings.ts';
import type { Drained } from '../surroundings.ts';
import { guarded } from './lambda.ts';
import type { Lambda } from './lambda.ts';

/** A function that works for as long as Lambda lets it, whatever called it. */
export function onWork(name: string, handler: WorkHandler): Lambda<Drained> {
  const surroundings = processSurroundings({ worker: () => import('../open-worker.ts') });
  return guarded(name, surroundings, (_event, context) => {
    const now = surroundings.now();
    return handler({ trigger: 'work', id: context.awsRequestId, at: now, detail: { deadline: now + context.getRemainingTimeInMillis() } }, surroundings);
  });
}
