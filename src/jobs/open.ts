import { secretFromEnv } from '../access/secret-source.ts';
import type { Surroundings } from '../access/surroundings.ts';
import type { Config } from '../config/load.ts';
import type { QueueConfig } from '../config/service-schema.ts';
import { openQueue } from '../queue/index.ts';
import type { BullQueue, QueueSettings } from '../queue/index.ts';
import { NO_TRACING } from '../telemetry/traces/tracing.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import { traced } from './observe/traces.ts';
import { QueueJobs } from './queue-service.ts';
import type { JobService } from './service.ts';

/** The queue of lifeboat.yaml. Throws `LB_QUEUE_…`, `LB_KEY_MISSING` when a variable that it names is not set. */
export async function openJobQueue(surroundings: Surroundings): Promise<BullQueue> {
  const { queue } = await surroundings.config();
  const opened = await openQueue(settingsOf(queue, surroundings));
  for (const { message, hint } of opened.warnings) surroundings.warn({ kind: 'queue', message: `${message} ${hint}`, where: 'queue' });
  return opened;
}

/** What hands jobs over, on the queue of lifeboat.yaml, each with its trace. Close it when done. */
export async function openJobs(surroundings: Surroundings, tracing: Tracing = NO_TRACING): Promise<JobService> {
  const config: Config = await surroundings.config();
  return new QueueJobs(await openJobQueue(surroundings), config, (job) => traced(job, tracing));
}

function settingsOf(queue: QueueConfig, surroundings: Surroundings): QueueSettings {
  if (queue.type === 'embedded') return { type: 'embedded', folder: queue.path ?? '' };
  const secret = (name: string, what: string): string => {
    const { text } = secretFromEnv(surroundings, name, what);
    surroundings.hide(text);
    return text;
  };
  const url = queue.url ?? secret(queue.urlEnv ?? '', 'address of the queue');
  const password = queue.passwordEnv === undefined ? {} : { password: secret(queue.passwordEnv, 'password of the queue') };
  const prefix = queue.prefix === undefined ? {} : { prefix: queue.prefix };
  return queue.type === 'redis' ? { type: 'redis', url, ...password, ...prefix } : { type: 'postgres', url, ...password, ...prefix };
}
