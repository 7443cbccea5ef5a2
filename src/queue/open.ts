import type { Backend } from './backend.ts';
import type { BullQueue } from './bull-queue.ts';
import type { QueueSettings } from './settings.ts';

/**
 * Opens the queue, and loads only what this kind of queue needs. Rejects at once when the server does not answer
 * (`LB_QUEUE_UNAVAILABLE`), refuses (`LB_QUEUE_ACCESS`), or is not safe (`LB_QUEUE_UNSUITABLE`), and when an embedded one is open
 * already (`LB_QUEUE_IN_USE`). A connection that is lost later is made again.
 */
export async function openQueue(settings: QueueSettings): Promise<BullQueue> {
  const backend = await openBackend(settings);
  const { BullQueue } = await import('./bull-queue.ts');
  return new BullQueue(backend);
}

async function openBackend(settings: QueueSettings): Promise<Backend> {
  if (settings.type === 'redis') {
    const { openRedis } = await import('./redis/open.ts');
    return await openRedis(settings);
  }
  if (settings.type === 'postgres') {
    const { openPostgres } = await import('./postgres/open.ts');
    return await openPostgres(settings);
  }
  const { openEmbedded } = await import('./embedded/open.ts');
  return await openEmbedded(settings);
}
