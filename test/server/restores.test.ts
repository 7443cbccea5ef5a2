import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { Scene } from './scene.ts';

const DIGEST = 'd'.repeat(64);

async function asked(scene: Scene, body: object = {}, headers: Record<string, string> = {}): Promise<string> {
  const response = await scene.ask('operate', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'spare', ...body }, headers });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  expect(response.headers.get('location')).toBe(`/v1/restores/${id}`);
  return id;
}

describe('a restore on demand', () => {
  it('is a job with everything that was asked for, and who asked', async () => {
    const scene = await Scene.open();
    const id = await asked(scene, { point: '20260101', selection: { namespaces: ['shop'] }, existing: 'skip' });
    expect(scene.jobs.jobs.get(id)?.job).toMatchObject({ kind: 'restore', requestedBy: 'token:operater', request: { point: '20260101', selection: { namespaces: ['shop'] }, existing: 'skip', waitSeconds: 0 } });
    scene.jobs.change(id, { state: 'done', steps: 2, result: { ok: true, report: { ok: true, seconds: 3 } }, finishedAt: new Date().toISOString() });
    expect(await (await scene.ask('look', 'GET', `/v1/restores/${id}`)).json()).toMatchObject({ id, state: 'done', steps: 2, report: { ok: true, seconds: 3 } });
    expect(await (await scene.ask('look', 'GET', '/v1/jobs?kind=restore')).json()).toMatchObject({ jobs: [{ id, plan: 'prod' }] });
  });

  it('asked for twice with one Idempotency-Key is one; another under the key is refused, and another person has other keys', async () => {
    const scene = await Scene.open();
    const headers = { 'idempotency-key': 'ticket-4711' };
    const id = await asked(scene, {}, headers);
    expect(await asked(scene, {}, headers)).toBe(id);
    expect(scene.jobs.jobs.size).toBe(1);
    const other = await scene.ask('operate', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'prod' }, headers });
    expect([other.status, await other.json()]).toEqual([422, expect.objectContaining({ code: 'LB_API_CONFLICT' })]);
    const theirs = await scene.ask('operate', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'spare' }, headers, subject: 'ben' });
    expect(((await theirs.json()) as { id: string }).id).not.toBe(id);
  });

  it('names what it does not know', async () => {
    const scene = await Scene.open();
    const cases = [
      [{ plan: 'pord', target: 'spare' }, 422, 'plan', 'Did you mean `prod`?'],
      [{ plan: 'prod', target: 'spar' }, 422, 'target', 'Did you mean `spare`?'],
      [{ plan: 'prod', target: 'spare', existing: 'overwrite' }, 400, 'json.existing', '`/openapi.json` says what it takes.'],
      [{ plan: 'prod', target: 'spare', pont: 'latest' }, 400, 'json', '`/openapi.json` says what it takes.'],
      ['{"plan":', 400, undefined, undefined],
    ] as const;
    for (const [body, status, where, hint] of cases) {
      const response = await scene.ask('operate', 'POST', '/v1/restores', { body });
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code: 'LB_API_REQUEST', status, ...(where !== undefined && { where }), ...(hint !== undefined && { hint }) })]);
    }
    expect(scene.jobs.jobs.size).toBe(0);
  });

  it('is not taken when nothing can be put on record, or the queue is away', async () => {
    const scene = await Scene.open();
    scene.vault.interfere = () => {
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'It is away');
    };
    const unrecorded = await scene.ask('operate', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'spare' } });
    expect([unrecorded.status, await unrecorded.json()]).toEqual([503, expect.objectContaining({ code: 'LB_AUDIT_UNAVAILABLE' })]);
    expect(scene.jobs.jobs.size).toBe(0);
    scene.vault.interfere = undefined;
    scene.jobs.failing = new Error('redis://:hunter2@queue is gone');
    const away = await scene.ask('operate', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'spare' } });
    const text = await away.text();
    expect(away.status).toBe(500);
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(' at ');
    expect((await scene.records()).map(({ outcome }) => outcome)).toEqual(['begun', 'begun', 'failed']);
  });
});

describe('a restore over what exists', () => {
  it('shows its plan, and goes on when an admin confirms that very plan', async () => {
    const scene = await Scene.open();
    const id = await asked(scene, { existing: 'update' });
    expect((await scene.ask('administer', 'GET', `/v1/restores/${id}/plan`)).status).toBe(404);
    expect((await scene.ask('administer', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: DIGEST } })).status).toBe(409);
    scene.jobs.unconfirm(id, DIGEST);
    expect(await (await scene.ask('look', 'GET', `/v1/restores/${id}/plan`)).json()).toMatchObject({ digest: DIGEST, update: ['ConfigMap shop/prices'] });
    expect((await scene.ask('operate', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: DIGEST } })).status).toBe(403);
    const other = await scene.ask('administer', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: 'e'.repeat(64) } });
    expect([other.status, await other.json()]).toEqual([409, expect.objectContaining({ code: 'LB_CONFIRMATION' })]);
    expect((await scene.ask('administer', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: DIGEST } })).status).toBe(200);
    expect(await (await scene.ask('look', 'GET', `/v1/restores/${id}`)).json()).toMatchObject({ state: 'waiting', confirmed: { digest: DIGEST, by: 'token:administerr' } });
    const records = await scene.records();
    expect(records.map(({ outcome, status, what }) => [what.route, outcome, status])).toEqual([
      ['/v1/restores', 'begun', undefined],
      ['/v1/restores', 'done', 202],
      ['/v1/restores/{id}/plan', 'answered', 200],
      ['/v1/restores/{id}/confirm', 'refused', 403],
      ['/v1/restores/{id}/confirm', 'begun', undefined],
      ['/v1/restores/{id}/confirm', 'failed', 409],
      ['/v1/restores/{id}/confirm', 'begun', undefined],
      ['/v1/restores/{id}/confirm', 'done', 200],
    ]);
    expect(records.at(-1)).toMatchObject({ who: { kind: 'token', subject: 'administerr', role: 'admin', issuer: scene.provider.issuer }, from: '192.0.2.7', what: { ids: { job: id, plan: DIGEST } }, of: 6 });
  });

  it('takes a second person where the configuration says so', async () => {
    const scene = await Scene.open({ more: '  secondPerson: true\n' });
    const response = await scene.ask('administer', 'POST', '/v1/restores', { body: { plan: 'prod', target: 'prod', intoSource: true }, subject: 'ada' });
    const { id } = (await response.json()) as { id: string };
    scene.jobs.unconfirm(id, DIGEST);
    const own = await scene.ask('administer', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: DIGEST }, subject: 'ada' });
    expect([own.status, await own.json()]).toEqual([403, expect.objectContaining({ code: 'LB_API_FORBIDDEN' })]);
    expect((await scene.ask('administer', 'POST', `/v1/restores/${id}/confirm`, { body: { digest: DIGEST }, subject: 'ben' })).status).toBe(200);
  });
});

interface ReadEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: string;
}

/** Reads events until the stream ends, or `enough` were read. */
async function events(response: Response, { enough = Infinity, onEvent }: { readonly enough?: number; readonly onEvent?: (event: ReadEvent) => void } = {}): Promise<readonly ReadEvent[]> {
  const found: ReadEvent[] = [];
  let text = '';
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return found;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      const id = fields.get('id');
      if (fields.has('event') || fields.has('')) {
        const read = { event: fields.get('event') ?? 'comment', data: fields.get('data') ?? '', ...(id !== undefined && { id }) };
        found.push(read);
        onEvent?.(read);
      }
      if (found.length >= enough) {
        await reader.cancel();
        return found;
      }
    }
  }
}

describe('the events of a restore', () => {
  it('tell what changes, and end with it', async () => {
    const scene = await Scene.open();
    const id = await asked(scene);
    const response = await scene.ask('look', 'GET', `/v1/restores/${id}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const all = events(response);
    await scene.jobs.told(id, 'waiting');
    scene.jobs.progress(id, { phase: 'apply', done: 3, total: 9, unit: 'objects' });
    await scene.jobs.told(id, 'active');
    scene.jobs.change(id, { state: 'done', result: { report: { ok: true } } });
    const found = await all;
    expect(found.map(({ event }) => event)).toEqual(['status', 'status', 'status', 'end']);
    expect(found.slice(0, 3).map(({ data }) => (JSON.parse(data) as { state: string }).state)).toEqual(['waiting', 'active', 'done']);
    // Whoever has seen the last is told that there is nothing more.
    const again = await scene.ask('look', 'GET', `/v1/restores/${id}/events`, { headers: { 'last-event-id': found[2]?.id ?? '' } });
    expect(again.status).toBe(204);
    expect(await events(await scene.ask('look', 'GET', `/v1/restores/${id}/events`, { headers: { 'last-event-id': found[0]?.id ?? '' } }))).toHaveLength(2);
  });

  it('do not repeat what the client has seen', async () => {
    const scene = await Scene.open();
    const id = await asked(scene);
    const [first] = await events(await scene.ask('look', 'GET', `/v1/restores/${id}/events`), { enough: 1 });
    const response = await scene.ask('look', 'GET', `/v1/restores/${id}/events`, { headers: { 'last-event-id': first?.id ?? '' } });
    const next = events(response, { enough: 1 });
    await scene.jobs.told(id, 'waiting');
    scene.jobs.change(id, { state: 'active' });
    expect((await next).map(({ data }) => (JSON.parse(data) as { state: string }).state)).toEqual(['active']);
  });

  it('have a heartbeat, and end with the server', async () => {
    const stopping = new AbortController();
    const scene = await Scene.open({ parts: { heartbeat: 5, stopping: stopping.signal } });
    const id = await asked(scene);
    const response = await scene.ask('look', 'GET', `/v1/restores/${id}/events`);
    const beating = Promise.withResolvers<void>();
    const all = events(response, {
      onEvent: ({ event }) => {
        if (event === 'comment') beating.resolve();
      },
    });
    await beating.promise;
    stopping.abort();
    const found = await all;
    expect(found[0]?.event).toBe('status');
    expect(found.filter(({ event }) => event === 'comment').length).toBeGreaterThan(0);
  });

  it('are of restores that there are', async () => {
    const scene = await Scene.open();
    expect((await scene.ask('look', 'GET', '/v1/restores/restore.none/events')).status).toBe(404);
    expect((await scene.ask('look', 'GET', '/v1/restores/..%2f/events')).status).toBe(400);
  });
});
