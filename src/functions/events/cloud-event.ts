import { z } from 'zod';
import { eventInvalid } from '../invalid.ts';
import { readTraceparent } from '../../telemetry/traces/traceparent.ts';
import { parseEvent } from '../parse.ts';
import type { CreatedObject, ObjectsTrigger, ScheduleTrigger } from '../trigger.ts';

const cloudEventSchema = z.object({
  specversion: z.string().regex(/^1\./, 'must be 1.0'),
  id: z.string().min(1).max(1000),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime({ offset: true }).optional(),
  /** Of the extension for distributed tracing. Whatever is wrong with it is no reason to refuse the event. */
  traceparent: z.string().optional().catch(undefined),
  data: z.unknown().optional(),
});

/** A CloudEvent (1.0), its data read. */
export type CloudEvent = z.output<typeof cloudEventSchema>;

/** A CloudEvent that some library has taken apart. Throws `LB_EVENT_INVALID`. */
export function cloudEvent(event: unknown): CloudEvent {
  return parseEvent(cloudEventSchema, 'a CloudEvent', event);
}

/**
 * A CloudEvent from a request, in binary or structured mode. Names of headers are in lower case. The request's own `traceparent` goes before that
 * of the event: whoever sent the event on has a part in the trace too. Throws `LB_EVENT_INVALID`.
 */
export function cloudEventOf(headers: Readonly<Record<string, string>>, body: string): CloudEvent {
  const event = readEvent(headers, body);
  const { traceparent } = headers;
  return readTraceparent(traceparent) === undefined ? event : { ...event, traceparent };
}

function readEvent(headers: Readonly<Record<string, string>>, body: string): CloudEvent {
  const type = (headers['content-type'] ?? '').split(';', 1).join('').trim().toLowerCase();
  if (type.startsWith('application/cloudevents-batch')) throw eventInvalid('Batches of CloudEvents are not taken', 'Send them one by one.');
  if (type.startsWith('application/cloudevents')) {
    const { data_base64: encoded, ...event } = parseEvent(z.looseObject({ data_base64: z.string().optional() }), 'a CloudEvent', json(body));
    return cloudEvent(encoded === undefined ? event : { ...event, data: json(Buffer.from(encoded, 'base64').toString()) });
  }
  const attributes = Object.entries(headers).flatMap(([name, value]) => (name.startsWith('ce-') ? [[name.slice(3), decoded(value)]] : []));
  if (attributes.length === 0) throw eventInvalid('This is not a CloudEvent: neither its headers (`ce-…`) nor its content type say so');
  return cloudEvent({ ...Object.fromEntries(attributes), ...(body !== '' && { data: json(body) }) });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw eventInvalid('The data of the event is not JSON');
  }
}

/** Values of headers are percent-encoded. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Whose data is ours alone: `{"plan": "NAME"}`, or nothing. */
const SCHEDULE_TYPES = ['dev.knative.sources.ping', 'lifeboat.schedule'];
const PUBSUB = 'google.cloud.pubsub.topic.v1.messagePublished';

const planned = z.looseObject({ plan: z.string().min(1).max(63).exactOptional() }).nullish();
const published = z.object({ message: z.looseObject({ data: z.string().optional(), attributes: z.record(z.string(), z.string()).optional() }) });

/** The time has come: from Knative's PingSource, from Cloud Scheduler through Pub/Sub, or of the type `lifeboat.schedule`. Throws `LB_EVENT_INVALID`. */
export function scheduleFrom(event: CloudEvent, now: number): ScheduleTrigger {
  const at = event.time === undefined ? now : Date.parse(event.time);
  const { plan } = parseEvent(planned, 'the data of a schedule', dataOfSchedule(event)) ?? {};
  return { trigger: 'schedule', id: event.id, at, ...traceOf(event), detail: plan === undefined ? {} : { plan } };
}

function dataOfSchedule(event: CloudEvent): unknown {
  if (SCHEDULE_TYPES.includes(event.type)) return event.data;
  if (event.type !== PUBSUB) throw eventInvalid(`An event of the type \`${event.type}\` says nothing of a schedule`, `Send one of ${[...SCHEDULE_TYPES, PUBSUB].join(', ')}.`);
  const { message } = parseEvent(published, 'a message of Pub/Sub', event.data);
  const text = Buffer.from(message.data ?? '', 'base64').toString();
  return text === '' ? message.attributes : json(text);
}

const BLOB_SUBJECT = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/;
const stored = z.looseObject({ bucket: z.string().min(1), name: z.string().min(1) });
const bridged = z.looseObject({ bucket: z.looseObject({ name: z.string().min(1) }), object: z.looseObject({ key: z.string().min(1) }) });

/** An object appeared: as Google Cloud Storage, Azure Event Grid or S3 says it. Throws `LB_EVENT_INVALID`. */
export function objectsFrom(event: CloudEvent, now: number): ObjectsTrigger {
  const at = event.time === undefined ? now : Date.parse(event.time);
  return { trigger: 'objects', id: `${event.source}/${event.id}`, at, ...traceOf(event), detail: { objects: [objectOf(event)] } };
}

function traceOf({ traceparent }: CloudEvent): { readonly traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent };
}

function objectOf(event: CloudEvent): CreatedObject {
  switch (event.type) {
    case 'google.cloud.storage.object.v1.finalized': {
      const { bucket, name } = parseEvent(stored, 'an event of Google Cloud Storage', event.data);
      return { store: 'gcs', bucket, key: name };
    }
    case 'Microsoft.Storage.BlobCreated':
      return blobOf(event.subject ?? '', event.source);
    // EventBridge and Knative's source for S3 write their events so.
    case 'aws.s3.object.created':
    case 'Object Created': {
      const { bucket, object } = parseEvent(bridged, 'an event of S3', event.data);
      return { store: 's3', bucket: bucket.name, key: object.key };
    }
    default:
      throw eventInvalid(`An event of the type \`${event.type}\` does not say that an object was created`);
  }
}

/** A blob, from the subject of an event and from the id of the storage account. Throws `LB_EVENT_INVALID`. */
export function blobOf(subject: string, topic: string): CreatedObject {
  const [, bucket, key] = BLOB_SUBJECT.exec(subject) ?? [];
  if (bucket === undefined || key === undefined) throw eventInvalid('The subject of the event names no blob');
  const account = /\/storageAccounts\/([a-z0-9]{3,24})$/i.exec(topic)?.[1];
  return { store: 'azure', bucket, key, ...(account !== undefined && { account }) };
}
