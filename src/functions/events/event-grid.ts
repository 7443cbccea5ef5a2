import { z } from 'zod';
import { parseEvent } from '../parse.ts';
import type { ObjectsTrigger } from '../trigger.ts';
import { blobOf, cloudEvent, objectsFrom } from './cloud-event.ts';

const blobCreated = z.looseObject({
  id: z.string().min(1),
  topic: z.string(),
  subject: z.string(),
  eventType: z.literal('Microsoft.Storage.BlobCreated'),
  eventTime: z.iso.datetime({ offset: true }),
});

/** A blob appeared, as Azure Event Grid says it: in its own schema or as a CloudEvent. Throws `LB_EVENT_INVALID`. */
export function eventGridObjects(event: unknown, now: number): ObjectsTrigger {
  if (typeof event === 'object' && event !== null && 'specversion' in event) return objectsFrom(cloudEvent(event), now);
  const { id, topic, subject, eventTime } = parseEvent(blobCreated, 'an event of Event Grid about a blob that was created', event);
  return { trigger: 'objects', id, at: Date.parse(eventTime), detail: { objects: [blobOf(subject, topic)] } };
}
