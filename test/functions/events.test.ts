import { describe, expect, it } from 'vitest';
import { awsHttp, awsObjects, awsSchedule } from '../../src/functions/events/aws.ts';
import { cloudEvent, cloudEventOf, objectsFrom, scheduleFrom } from '../../src/functions/events/cloud-event.ts';
import { eventGridObjects } from '../../src/functions/events/event-grid.ts';

const NOW = Date.parse('2026-11-26T14:20:00Z');

describe('events of AWS', () => {
  it('takes what EventBridge Scheduler sends, with the time it was due', () => {
    const event = { lifeboat: 'schedule', plan: 'shop', scheduledTime: '2026-11-26T14:15:00Z', id: '4b1f4a5a-9d2e-4c1b-8a7e-0e4d2b9f7c11' };
    expect(awsSchedule(event, NOW)).toEqual({ trigger: 'schedule', id: event.id, at: Date.parse('2026-11-26T14:15:00Z'), detail: { plan: 'shop' } });
  });

  it('takes the time of day where nobody filled in when it was due', () => {
    expect(awsSchedule({ lifeboat: 'schedule', plan: 'shop' }, NOW)).toMatchObject({ at: NOW });
  });

  it('takes a rule with a schedule', () => {
    const event = {
      version: '0',
      id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '111122223333',
      time: '2026-11-26T14:15:00Z',
      region: 'eu-central-1',
      resources: ['arn:aws:events:eu-central-1:111122223333:rule/shop'],
      detail: {},
    };
    expect(awsSchedule(event, NOW)).toEqual({ trigger: 'schedule', id: event.id, at: Date.parse(event.time), detail: {} });
  });

  it('takes an object that was created, from EventBridge', () => {
    const event = {
      version: '0',
      id: '17793124-05d4-b198-2fde-7ededc63b103',
      'detail-type': 'Object Created',
      source: 'aws.s3',
      account: '111122223333',
      time: '2026-11-26T14:15:09Z',
      region: 'eu-central-1',
      resources: ['arn:aws:s3:::acme-backups'],
      detail: {
        version: '0',
        bucket: { name: 'acme-backups' },
        object: { key: 'lifeboat/shop/points/shop/20261126T141503Z-07b1c2d3', size: 512, etag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '00617F08299329D189' },
        'request-id': 'N4N7GDK58NMKJ12R',
        requester: '123456789012',
        reason: 'PutObject',
      },
    };
    expect(awsObjects(event)).toEqual({
      trigger: 'objects',
      id: event.id,
      at: Date.parse(event.time),
      detail: { objects: [{ store: 's3', bucket: 'acme-backups', key: 'lifeboat/shop/points/shop/20261126T141503Z-07b1c2d3' }] },
    });
  });

  it('takes a notification of S3, with keys encoded as forms are', () => {
    const record = {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'eu-central-1',
      eventTime: '2026-11-26T14:15:09.123Z',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: 'EXAMPLE' },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: { 'x-amz-request-id': 'EXAMPLE123456789', 'x-amz-id-2': 'EXAMPLE123/5678' },
      s3: { s3SchemaVersion: '1.0', configurationId: 'points', bucket: { name: 'acme-backups', arn: 'arn:aws:s3:::acme-backups' }, object: { key: 'a+b/points%2Fshop/x', size: 1024, sequencer: '0A1B2C3D4E5F678901' } },
    };
    const trigger = awsObjects({ Records: [record] });
    expect(trigger.id).toBe('EXAMPLE123456789/0A1B2C3D4E5F678901/a+b/points%2Fshop/x');
    expect(trigger.detail.objects).toEqual([{ store: 's3', bucket: 'acme-backups', key: 'a b/points/shop/x' }]);
  });

  it('takes a request of an HTTP API', () => {
    const event = {
      version: '2.0',
      routeKey: 'POST /restores',
      rawPath: '/prod/v1/restores',
      rawQueryString: 'a=b',
      headers: { Authorization: 'Bearer x.y.z', 'content-type': 'application/json' },
      requestContext: { accountId: '111122223333', apiId: 'api', domainName: 'id.execute-api.eu-central-1.amazonaws.com', http: { method: 'POST', path: '/prod/restores', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'curl' }, requestId: 'JKJaXmPLvHcESHA=', routeKey: 'POST /restores', stage: 'prod', time: '26/Nov/2026:14:15:00 +0000', timeEpoch: NOW },
      body: Buffer.from('{"plan":"shop"}').toString('base64'),
      isBase64Encoded: true,
    };
    expect(awsHttp(event)).toEqual({
      trigger: 'http',
      id: 'JKJaXmPLvHcESHA=',
      at: NOW,
      detail: {
        method: 'POST',
        url: 'https://id.execute-api.eu-central-1.amazonaws.com/v1/restores?a=b',
        headers: { authorization: 'Bearer x.y.z', 'content-type': 'application/json' },
        body: '{"plan":"shop"}',
        address: '192.0.2.1',
      },
    });
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'ring'],
    ['an event of something else', { source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification', id: '1', time: '2026-11-26T14:15:00Z', detail: {} }],
    ['a test of notifications', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'acme-backups' }],
    ['an object that was removed', { Records: [{ eventSource: 'aws:s3', eventName: 'ObjectRemoved:Delete', eventTime: '2026-11-26T14:15:09Z', s3: { bucket: { name: 'b' }, object: { key: 'k' } } }] }],
  ])('refuses %s with a clear error', (_what, event) => {
    expect(() => awsSchedule(event, NOW)).toThrow(expect.objectContaining({ code: 'LB_EVENT_INVALID' }));
    expect(() => awsObjects(event)).toThrow(expect.objectContaining({ code: 'LB_EVENT_INVALID' }));
  });

  it('says which part is wrong, and nothing of what was in it', () => {
    expect(() => awsSchedule({ lifeboat: 'schedule', plan: ['hush-hush'] }, NOW)).toThrow(/`plan` must be string/);
    expect(() => awsSchedule({ lifeboat: 'schedule', plan: ['hush-hush'] }, NOW)).not.toThrow(/hush/);
  });
});

const FINALIZED = {
  specversion: '1.0',
  id: '7923641234567890',
  source: '//storage.googleapis.com/projects/_/buckets/acme-other-cloud',
  type: 'google.cloud.storage.object.v1.finalized',
  subject: 'objects/points/shop/20261126T141503Z-07b1c2d3',
  time: '2026-11-26T14:15:10.123456Z',
  data: { kind: 'storage#object', id: 'acme-other-cloud/points/shop/x/1', bucket: 'acme-other-cloud', name: 'points/shop/20261126T141503Z-07b1c2d3', generation: '1732630510', contentType: 'application/octet-stream' },
};

describe('CloudEvents', () => {
  it('takes an object that was finalized in Google Cloud Storage', () => {
    const { source, id } = FINALIZED;
    expect(objectsFrom(cloudEvent(FINALIZED), NOW)).toMatchObject({
      id: `${source}/${id}`,
      detail: { objects: [{ store: 'gcs', bucket: 'acme-other-cloud', key: 'points/shop/20261126T141503Z-07b1c2d3' }] },
    });
  });

  it('takes the same in binary and in structured mode', () => {
    const { data, ...attributes } = FINALIZED;
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeURIComponent(value)]));
    const binary = cloudEventOf({ ...headers, 'content-type': 'application/json' }, JSON.stringify(data));
    const structured = cloudEventOf({ 'content-type': 'application/cloudevents+json; charset=utf-8' }, JSON.stringify(FINALIZED));
    const encoded = cloudEventOf({ 'content-type': 'application/cloudevents+json' }, JSON.stringify({ ...attributes, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') }));
    expect(binary).toEqual(FINALIZED);
    expect(structured).toEqual(FINALIZED);
    expect(encoded).toEqual(FINALIZED);
  });

  it('takes what Cloud Scheduler sends through Pub/Sub', () => {
    const event = {
      specversion: '1.0',
      id: '1096434104173400',
      source: '//pubsub.googleapis.com/projects/acme/topics/lifeboat-backup',
      type: 'google.cloud.pubsub.topic.v1.messagePublished',
      time: '2026-11-26T14:15:00.5Z',
      data: { subscription: 'projects/acme/subscriptions/s', message: { messageId: '1096434104173400', publishTime: '2026-11-26T14:15:00.5Z', data: Buffer.from('{"plan":"shop"}').toString('base64') } },
    };
    expect(scheduleFrom(cloudEvent(event), NOW)).toEqual({ trigger: 'schedule', id: event.id, at: Date.parse(event.time), detail: { plan: 'shop' } });
  });

  it('takes a ping of Knative', () => {
    const event = { specversion: '1.0', id: '6c4e1b1a', source: '/apis/v1/namespaces/lifeboat/pingsources/backup-shop', type: 'dev.knative.sources.ping', time: '2026-11-26T14:15:00Z', data: { plan: 'shop' } };
    expect(scheduleFrom(cloudEvent(event), NOW)).toMatchObject({ at: Date.parse(event.time), detail: { plan: 'shop' } });
  });

  it('takes a blob that was created, in the schema of Event Grid and as a CloudEvent', () => {
    const topic = '/subscriptions/aaaa/resourceGroups/backup/providers/Microsoft.Storage/storageAccounts/acmebackups';
    const subject = '/blobServices/default/containers/vault/blobs/shop/points/shop/20261126T141503Z-07b1c2d3';
    const data = { api: 'PutBlob', requestId: 'r', eTag: '0x8D76C39E4407333', blobType: 'BlockBlob', url: 'https://acmebackups.blob.core.windows.net/vault/shop/points/shop/20261126T141503Z-07b1c2d3' };
    const expected = [{ store: 'azure', account: 'acmebackups', bucket: 'vault', key: 'shop/points/shop/20261126T141503Z-07b1c2d3' }];
    const own = { topic, subject, eventType: 'Microsoft.Storage.BlobCreated', id: '831e1650-001e-001b-66ab-eeb76e069631', data, dataVersion: '', metadataVersion: '1', eventTime: '2026-11-26T14:15:10.4107Z' };
    const cloud = { source: topic, subject, type: 'Microsoft.Storage.BlobCreated', time: '2026-11-26T14:15:10.4107Z', id: own.id, data, specversion: '1.0' };
    expect(eventGridObjects(own, NOW).detail.objects).toEqual(expected);
    expect(eventGridObjects(cloud, NOW).detail.objects).toEqual(expected);
  });

  it.each([
    ['no CloudEvent', {}, '{"plan":"shop"}', /neither its headers/],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', /Batches/],
    ['data that is no JSON', { 'content-type': 'application/cloudevents+json' }, 'plan: shop', /not JSON/],
    ['another version', { 'content-type': 'application/cloudevents+json' }, '{"specversion":"0.3","id":"1","source":"s","type":"t"}', /`specversion`/],
  ])('refuses %s with a clear error', (_what, headers: Record<string, string>, body, message) => {
    expect(() => cloudEventOf(headers, body)).toThrow(expect.objectContaining({ code: 'LB_EVENT_INVALID', message: expect.stringMatching(message) as string }));
  });

  it('refuses types that mean something else', () => {
    const other = cloudEvent({ ...FINALIZED, type: 'google.cloud.storage.object.v1.deleted' });
    expect(() => objectsFrom(other, NOW)).toThrow(/deleted.*does not say that an object was created/);
    expect(() => scheduleFrom(other, NOW)).toThrow(/says nothing of a schedule/);
  });
});
