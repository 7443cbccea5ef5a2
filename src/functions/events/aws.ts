import { z } from 'zod';
import { eventInvalid } from '../invalid.ts';
import { headersOf } from '../headers.ts';
import { parseEvent } from '../parse.ts';
import type { HttpTrigger, ObjectsTrigger, ScheduleTrigger } from '../trigger.ts';

const time = z.iso.datetime({ offset: true });
const planName = z.string().min(1).max(63).exactOptional();

/** What the schedules of serverless.yml send; EventBridge Scheduler fills time and id in. `lifeboat` tells it from anything else. */
const ownSchedule = z.object({
  lifeboat: z.literal('schedule'),
  plan: planName,
  scheduledTime: time.exactOptional(),
  id: z.string().min(1).max(200).exactOptional(),
});

/** A rule of EventBridge with a schedule, as it is when nothing was said about its input. */
const scheduledEvent = z.object({
  'detail-type': z.literal('Scheduled Event'),
  source: z.literal('aws.events'),
  id: z.string().min(1),
  time,
  detail: z.looseObject({ plan: planName }),
});

/** The time has come, as EventBridge says it. `now` stands for a time that nobody filled in. Throws `LB_EVENT_INVALID`. */
export function awsSchedule(event: unknown, now: number): ScheduleTrigger {
  const rule = scheduledEvent.safeParse(event);
  if (rule.success) {
    const { plan } = rule.data.detail;
    return { trigger: 'schedule', id: rule.data.id, at: Date.parse(rule.data.time), detail: plan === undefined ? {} : { plan } };
  }
  const { plan, scheduledTime, id } = parseEvent(ownSchedule, 'an event of a schedule', event);
  const at = scheduledTime === undefined ? now : Date.parse(scheduledTime);
  return { trigger: 'schedule', id: id ?? `schedule-${at}`, at, detail: plan === undefined ? {} : { plan } };
}

const objectCreated = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  id: z.string().min(1),
  time,
  detail: z.object({ bucket: z.object({ name: z.string().min(1) }), object: z.object({ key: z.string().min(1) }) }),
});

const notification = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal('aws:s3'),
        eventName: z.string().regex(/^(?:s3:)?ObjectCreated:/),
        eventTime: time,
        responseElements: z.record(z.string(), z.string()).optional(),
        s3: z.object({ bucket: z.object({ name: z.string().min(1) }), object: z.object({ key: z.string().min(1), sequencer: z.string().optional() }) }),
      }),
    )
    .min(1),
});

/** Objects appeared, as S3 says it through EventBridge, or by itself. Throws `LB_EVENT_INVALID`. */
export function awsObjects(event: unknown): ObjectsTrigger {
  const bridged = objectCreated.safeParse(event);
  if (bridged.success) {
    const { id, time: at, detail } = bridged.data;
    return { trigger: 'objects', id, at: Date.parse(at), detail: { objects: [{ store: 's3', bucket: detail.bucket.name, key: detail.object.key }] } };
  }
  const { Records: records } = parseEvent(notification, 'an event of S3 about objects that were created', event);
  const [first] = records;
  // A notification has no id of its own; these two are the same when it is delivered again.
  const id = [first?.responseElements?.['x-amz-request-id'], first?.s3.object.sequencer, first?.s3.object.key].filter((part) => part !== undefined).join('/');
  const objects = records.map(({ s3 }) => ({ store: 's3' as const, bucket: s3.bucket.name, key: decodeKey(s3.object.key) }));
  return { trigger: 'objects', id, at: Date.parse(first?.eventTime ?? ''), detail: { objects } };
}

/** S3 writes keys in its notifications as forms do: `+` is a space. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw eventInvalid('The key of the object is not encoded as S3 does it');
  }
}

const apiRequest = z.object({
  version: z.literal('2.0'),
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    requestId: z.string(),
    timeEpoch: z.number(),
    stage: z.string().default('$default'),
    domainName: z.string().default('localhost'),
    http: z.object({ method: z.string(), sourceIp: z.string().default('unknown') }),
  }),
});

/** A request, as an HTTP API hands it on (payload format 2.0). Whatever an authorizer says in it is not looked at. Throws `LB_EVENT_INVALID`. */
export function awsHttp(event: unknown): HttpTrigger {
  const { rawPath, rawQueryString, headers, body, isBase64Encoded, requestContext } = parseEvent(apiRequest, 'a request of an HTTP API', event);
  const { requestId, timeEpoch, stage, domainName, http } = requestContext;
  const path = stage !== '$default' && rawPath.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : rawPath;
  const url = `https://${domainName}${path}${rawQueryString === '' ? '' : `?${rawQueryString}`}`;
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString() : (body ?? '');
  return { trigger: 'http', id: requestId, at: timeEpoch, detail: { method: http.method, url, headers: headersOf(headers), body: text, address: http.sourceIp } };
}
