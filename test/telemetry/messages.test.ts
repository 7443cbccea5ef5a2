import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Clock } from '../../src/core/clock.ts';
import { Redactor } from '../../src/core/redact.ts';
import { createLog } from '../../src/telemetry/log/log.ts';
import { Heartbeat } from '../../src/telemetry/messages/heartbeat.ts';
import type { Message } from '../../src/telemetry/messages/message.ts';
import { Messenger } from '../../src/telemetry/messages/messenger.ts';
import type { MessengerOptions, Webhook } from '../../src/telemetry/messages/messenger.ts';
import { signBody, verifySignature } from '../../src/telemetry/messages/signature.ts';
import { Metrics } from '../../src/telemetry/metrics/metrics.ts';
import { startHttpDouble } from '../testbed/http-double.ts';
import type { DoubleAnswer, HttpDouble, RecordedRequest } from '../testbed/http-double.ts';

const SECRET = 'whsec-5f1c2d3e4b';
const LIMITS = { timeout: 60_000, tries: 4, firstPause: 10, longestPause: 40 };
/** What a busy machine may take for all of it. */
const PATIENCE = 60_000;
const bodySchema = z.object({ version: z.literal(1), event: z.string(), id: z.string(), ok: z.boolean(), text: z.string(), at: z.iso.datetime(), plan: z.string().optional() });

const failure: Message = { event: 'failure', id: 'failure.backup.prod.1', ok: false, text: 'backup of plan "prod" failed', plan: 'prod' };

interface Parts {
  readonly messenger: Messenger;
  readonly metrics: Metrics;
  readonly redactor: Redactor;
  readonly log: () => string;
}

function parts(webhooks: readonly Webhook[], more: Partial<MessengerOptions> = {}): Parts {
  const redactor = new Redactor();
  const metrics = new Metrics();
  let text = '';
  const log = createLog({ redactor, stream: { write: (line: string) => (text += line) }, env: {} });
  const messenger = new Messenger({ webhooks, redactor, log, metrics, limits: LIMITS, ...more });
  onTestFinished(() => messenger.close(0));
  return { messenger, metrics, redactor, log: () => text };
}

/** A receiver of messages that answers as it is told: a double of whatever service a webhook belongs to. */
async function receiver(answer: (request: RecordedRequest, count: number) => DoubleAnswer | undefined | Promise<DoubleAnswer | undefined> = () => ({ status: 204 })): Promise<HttpDouble> {
  let count = 0;
  const double = await startHttpDouble((request) => answer(request, ++count));
  onTestFinished(() => double[Symbol.asyncDispose]());
  return double;
}

function bodies({ requests }: HttpDouble): z.output<typeof bodySchema>[] {
  return requests.map(({ body }) => bodySchema.parse(JSON.parse(body.toString())));
}

async function outcomes(metrics: Metrics): Promise<readonly string[]> {
  const { text } = await metrics.text();
  return text.split('\n').filter((line) => /^lifeboat_(messages|heartbeats)_total\{/.test(line));
}

describe('a webhook', () => {
  it('is told what it wants to know, once, signed with its secret', async () => {
    const double = await receiver();
    const { messenger, metrics } = parts([{ url: `${double.url}/hook`, secret: SECRET }, { url: `${double.url}/drills`, on: ['drill'] }]);
    messenger.tell(failure);
    messenger.tell({ event: 'backup', id: 'b', ok: true, text: 'made a point' });
    messenger.tell({ event: 'drill', also: ['failure'], id: 'd', ok: false, text: 'did not pass' });
    await messenger.flush(PATIENCE);
    expect(double.requests.map(({ url }) => url.pathname).sort()).toEqual(['/drills', '/hook', '/hook']);
    const [first] = double.requests.filter(({ url }) => url.pathname === '/hook');
    const body = first?.body.toString() ?? '';
    expect(bodySchema.parse(JSON.parse(body))).toMatchObject({ event: 'failure', id: failure.id, ok: false, text: 'lifeboat: backup of plan "prod" failed', plan: 'prod' });
    expect(first?.headers).toMatchObject({ 'content-type': 'application/json', 'lifeboat-event': 'failure' });
    const signature = String(first?.headers['lifeboat-signature']);
    const now = Date.now();
    expect(signature).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
    expect(verifySignature(SECRET, body, signature, { now })).toBe(true);
    expect(verifySignature(SECRET, `${body} `, signature, { now })).toBe(false);
    expect(verifySignature('another-secret', body, signature, { now })).toBe(false);
    expect(verifySignature(SECRET, body, signature, { now: now + 600_000 })).toBe(false);
    expect(verifySignature(SECRET, body, signature.replace(/t=\d+/, `t=${Math.floor(now / 1000) - 10}`), { now })).toBe(false);
    expect(await outcomes(metrics)).toEqual(['lifeboat_messages_total{event="failure",outcome="sent"} 1', 'lifeboat_messages_total{event="drill",outcome="sent"} 2']);
  });

  it('can check the signature as docs/monitoring.md says', async () => {
    const page = await readFile(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
    const [, code = ''] = /```js\n([^]*?)```/.exec(page) ?? [];
    const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { readonly isGenuine: (secret: string, header: string, body: string) => boolean };
    const now = Date.now();
    expect(isGenuine(SECRET, signBody(SECRET, '{"a":1}', now), '{"a":1}')).toBe(true);
    expect(isGenuine(SECRET, signBody(SECRET, '{"a":1}', now), '{"a":2}')).toBe(false);
    expect(isGenuine(SECRET, signBody(SECRET, '{"a":1}', now - 400_000), '{"a":1}')).toBe(false);
    expect(isGenuine(SECRET, 'nonsense', '{"a":1}')).toBe(false);
  });

  it('is asked again while its server is in trouble, and not when it refuses', async () => {
    const troubled = await receiver((_request, count) => (count === 1 ? { status: 503 } : count === 2 ? undefined : count === 3 ? { status: 429, headers: { 'retry-after': '3600' } } : { status: 200 }));
    const refusing = await receiver(() => ({ status: 404 }));
    const { messenger, metrics, log } = parts([{ url: troubled.url }, { url: refusing.url }]);
    messenger.tell(failure);
    await messenger.flush(PATIENCE);
    expect(troubled.requests).toHaveLength(4);
    expect(new Set(bodies(troubled).map(({ id }) => id))).toEqual(new Set([failure.id]));
    expect(refusing.requests).toHaveLength(1);
    expect(await outcomes(metrics)).toEqual(expect.arrayContaining(['lifeboat_messages_total{event="failure",outcome="failed"} 1']));
    expect(log()).toContain('it answered with 404');
    expect(log()).not.toContain(refusing.url);
  });

  it('gives up after some tries', async () => {
    const double = await receiver(() => ({ status: 500 }));
    const { messenger, log } = parts([{ url: double.url }]);
    messenger.tell(failure);
    await messenger.flush(PATIENCE);
    expect(double.requests).toHaveLength(LIMITS.tries);
    expect(log()).toContain('"where":"notify.webhooks.0"');
  });

  it('follows a redirect at its own server, and none to another', async () => {
    const other = await receiver();
    const double = await receiver(({ url }) =>
      url.pathname === '/moved' ? { status: 308, headers: { location: '/here' } }
      : url.pathname === '/away' ? { status: 307, headers: { location: other.url } }
      : url.pathname === '/get' ? { status: 302, headers: { location: '/here' } }
      : { status: 200 },
    );
    const { messenger, log } = parts([{ url: `${double.url}/moved`, secret: SECRET }, { url: `${double.url}/away`, secret: SECRET }, { url: `${double.url}/get`, secret: SECRET }]);
    messenger.tell(failure);
    await messenger.flush(PATIENCE);
    expect(other.requests).toEqual([]);
    expect(double.requests.filter(({ url }) => url.pathname === '/here').map(({ method }) => method)).toEqual(['POST']);
    expect(log()).toContain('it sends on to another server');
    expect(log()).toContain('it sends on with 302');
  });

  it('holds up nobody: not who tells, not another webhook, not the end', async () => {
    const never = await receiver(() => new Promise<undefined>(() => undefined));
    const well = await receiver();
    const { messenger, metrics } = parts([{ url: never.url }, { url: well.url }]);
    for (let i = 0; i < 150; i++) messenger.tell({ ...failure, id: `failure.${i}` });
    await expect.poll(() => well.requests.length, { timeout: PATIENCE }).toBe(99 + 1);
    await messenger.close(10);
    // One was on its way, a hundred waited, the rest was dropped or given up.
    expect(never.requests).toHaveLength(1);
    expect(await outcomes(metrics)).toContain('lifeboat_messages_total{event="failure",outcome="dropped"} 100');
  });

  it('is told no secret', async () => {
    const double = await receiver();
    const { messenger, redactor } = parts([{ url: double.url }]);
    redactor.add('open-sesame-1');
    messenger.tell({ ...failure, text: 'open-sesame-1 is wrong', failure: { code: 'LB_KEY_WRONG', message: 'redis://u:hunter2hunter2@host said open-sesame-1' }, details: { deep: [{ 'open-sesame-1': new Error('open-sesame-1') }] } });
    await messenger.flush(PATIENCE);
    const [body = ''] = double.requests.map((request) => request.body.toString());
    expect(body).toContain('[secret] is wrong');
    expect(body).not.toContain('open-sesame-1');
    expect(body).not.toContain('hunter2');
  });
});

describe('the heartbeat', () => {
  function heart(url: string, now: () => number): { heartbeat: Heartbeat; metrics: Metrics; log: () => string } {
    const redactor = new Redactor();
    const metrics = new Metrics();
    let text = '';
    const log = createLog({ redactor, stream: { write: (line: string) => (text += line) }, env: {} });
    const clock: Clock = { now, sleep: () => Promise.resolve() };
    const heartbeat = new Heartbeat({ url, redactor, log, metrics, clock, every: 60_000 });
    onTestFinished(() => heartbeat.close());
    return { heartbeat, metrics, log: () => text };
  }

  it('asks for its address, and not more often than it should', async () => {
    const double = await receiver();
    let now = 1_000_000;
    const { heartbeat, metrics } = heart(`${double.url}/ping/3f1c`, () => now);
    for (const at of [0, 30_000, 59_000, 90_000, 121_000]) {
      now = 1_000_000 + at;
      heartbeat.beat();
      await heartbeat.flush();
    }
    expect(double.requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(Array.from({ length: 3 }, () => 'GET /ping/3f1c'));
    expect(await outcomes(metrics)).toEqual(['lifeboat_heartbeats_total{outcome="sent"} 3']);
  });

  it('that is not taken is logged without its address', async () => {
    const double = await receiver(() => ({ status: 500 }));
    const { heartbeat, metrics, log } = heart(`${double.url}/ping/3f1c2b`, () => 0);
    heartbeat.beat();
    await heartbeat.flush();
    expect(double.requests).toHaveLength(2);
    expect(await outcomes(metrics)).toEqual(['lifeboat_heartbeats_total{outcome="failed"} 1']);
    expect(log()).toContain('it answered with 500');
    expect(log()).not.toContain('3f1c2b');
  });
});
