import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RestoreOrder } from '../../src/jobs/job.ts';
import { FailureLimiter } from '../../src/server/auth/failures.ts';
import { principalName } from '../../src/server/auth/principal.ts';
import { Scene } from './scene.ts';

const DIGEST = 'd'.repeat(64);

/** What each role is answered: nobody, no role, viewer, operator, admin. */
const MATRIX: readonly (readonly [method: string, path: string, body: object | undefined, statuses: readonly [number, number, number, number, number]])[] = [
  ['POST', '/v1/restores', { plan: 'prod', target: 'spare' }, [401, 403, 403, 202, 202]],
  ['GET', '/v1/restores/restore.mine', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/v1/restores/restore.mine/events', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/v1/restores/restore.mine/plan', undefined, [401, 403, 200, 200, 200]],
  ['POST', '/v1/restores/restore.mine/confirm', { digest: DIGEST }, [401, 403, 403, 403, 200]],
  ['POST', '/v1/jobs', { kind: 'backup', plan: 'prod' }, [401, 403, 403, 202, 202]],
  ['POST', '/v1/jobs', { kind: 'retain' }, [401, 403, 403, 202, 202]],
  ['GET', '/v1/jobs', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/v1/jobs/restore.mine', undefined, [401, 403, 200, 200, 200]],
  ['DELETE', '/v1/jobs/restore.mine', undefined, [401, 403, 403, 200, 200]],
  ['DELETE', '/v1/jobs/restore.other', undefined, [401, 403, 403, 403, 200]],
  ['GET', '/v1/points?plan=prod', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/v1/plans', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/v1/status', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/metrics', undefined, [401, 403, 200, 200, 200]],
  ['GET', '/healthz', undefined, [200, 200, 200, 200, 200]],
  ['GET', '/readyz', undefined, [200, 200, 200, 200, 200]],
  ['GET', '/openapi.json', undefined, [200, 200, 200, 200, 200]],
];

const metrics = { read: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }) };
const request: RestoreOrder = { plan: 'prod', point: 'latest', target: 'spare', selection: {}, objects: [], renameNamespaces: {}, existing: 'update', waitSeconds: 0, intoSource: false, dryRun: false };

describe('every route', () => {
  it('is in the table', async () => {
    const scene = await Scene.open();
    const { paths } = (await (await scene.ask(undefined, 'GET', '/openapi.json')).json()) as { paths: Record<string, Record<string, unknown>> };
    const documented = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    const tried = new Set(MATRIX.map(([method, path]) => `${method} ${path.replace(/\?.*/, '').replace(/restore\.(mine|other)/, '{id}')}`));
    expect([...tried].sort()).toEqual(documented.sort());
  });

  for (const [method, path, body, statuses] of MATRIX) {
    it(`${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`} does what the role permits`, async () => {
      const given: number[] = [];
      for (const role of [undefined, 'nothing', 'look', 'operate', 'administer'] as const) {
        const scene = await Scene.open({ parts: { metrics } });
        for (const [id, requestedBy] of [['restore.mine', `token:${role}r`], ['restore.other', 'token:somebody']] as const) {
          await scene.jobs.submit({ kind: 'restore', id, requestedBy, at: new Date().toISOString(), request });
          scene.jobs.unconfirm(id, DIGEST);
        }
        const response = await scene.ask(role, method, path, { ...(body !== undefined && { body }) });
        given.push(response.status);
        await response.body?.cancel();
        const refusals = (await scene.records()).filter(({ outcome }) => outcome === 'refused');
        expect(refusals.length, `${role}`).toBe(response.status === 401 || response.status === 403 ? 1 : 0);
      }
      expect(given).toEqual(statuses);
    });
  }
});

describe('what is on record', () => {
  it('is every change, every look at points and plans, and every refusal', async () => {
    const scene = await Scene.open();
    await scene.ask('look', 'GET', '/v1/points?plan=prod');
    await scene.ask('look', 'GET', '/v1/jobs');
    await scene.ask('look', 'POST', '/v1/jobs', { body: { kind: 'backup', plan: 'prod' } });
    await scene.ask(undefined, 'GET', '/v1/plans');
    await scene.ask('operate', 'POST', '/v1/jobs', { body: { kind: 'drill', plan: 'prod', point: 'latest' } });
    expect((await scene.records()).map(({ code, digest, outcome, what, who }) => [who.subject ?? who.kind, what.method, what.route, outcome, code ?? '', digest !== undefined])).toEqual([
      ['lookr', 'GET', '/v1/points', 'answered', '', false],
      ['lookr', 'POST', '/v1/jobs', 'refused', 'LB_API_FORBIDDEN', false],
      ['nobody', 'GET', '/v1/plans', 'refused', 'LB_API_UNAUTHENTICATED', false],
      ['operater', 'POST', '/v1/jobs', 'begun', '', true],
      ['operater', 'POST', '/v1/jobs', 'done', '', false],
    ]);
  });

  it('has the digest of the body as it was sent', async () => {
    const scene = await Scene.open();
    const body = '{ "kind" :\n"backup",  "plan": "prod" }';
    expect((await scene.ask('operate', 'POST', '/v1/jobs', { body })).status).toBe(202);
    expect((await scene.records())[0]?.digest).toBe(createHash('sha256').update(body).digest('hex'));
  });

  it('is stored before the answer, where a process may sleep as soon as it has answered', async () => {
    const scene = await Scene.open();
    Object.defineProperty(scene.parts.audit, 'immediate', { value: true });
    await scene.ask('look', 'GET', '/v1/plans');
    expect(scene.vault.objects.size).toBe(1);
    await scene.ask(undefined, 'GET', '/v1/plans');
    expect(scene.vault.objects.size).toBe(2);
  });
});

describe('whoever is refused again and again', () => {
  it('is told to wait, and is no longer put on record; a good credential from the same address is taken', async () => {
    const scene = await Scene.open();
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) {
      const response = await scene.ask(undefined, 'GET', '/v1/plans', { headers: { authorization: 'Bearer nonsense' } });
      statuses.push(response.status);
      expect(Number(response.headers.get('retry-after')) > 0).toBe(response.status === 429);
    }
    expect([statuses.filter((status) => status === 401).length, statuses.filter((status) => status === 429).length]).toEqual([20, 5]);
    expect((await scene.ask('look', 'GET', '/v1/plans')).status).toBe(200);
    expect((await scene.ask(undefined, 'GET', '/v1/plans', { peer: { address: '192.0.2.8' } })).status).toBe(401);
    expect((await scene.records()).filter(({ outcome }) => outcome === 'refused')).toHaveLength(21);
  });

  it('costs no more memory however many addresses they come from', () => {
    let now = 0;
    const limiter = new FailureLimiter({ now: () => now });
    for (let i = 0; i < 25; i++) limiter.failed('2001:db8::1');
    expect(limiter.failed('2001:db8::ffff:1')).toBeGreaterThan(0);
    expect(limiter.failed('2001:db8:0:1::1')).toBeUndefined();
    for (let i = 0; i < 20; i++) limiter.failed('::ffff:192.0.2.7');
    expect(limiter.failed('192.0.2.7')).toBe(60);
    now = 61_000;
    expect(limiter.failed('192.0.2.7')).toBeUndefined();
    for (let i = 0; i < 30_000; i++) limiter.failed(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(limiter.failed('2001:db8::1')).toBeUndefined();
  });
});

describe('a name that jobs keep', () => {
  it('is never too long, and never somebody else’s', () => {
    const [a, b] = [principalName('token', `${'x'.repeat(250)}a`), principalName('token', `${'x'.repeat(250)}b`)];
    expect([a.length, b.length, a === b]).toEqual([200, 200, false]);
    expect(principalName('certificate', 'ada')).toBe('certificate:ada');
  });
});
