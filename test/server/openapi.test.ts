import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LifeboatError } from '../../src/core/errors.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';
import { Scene } from './scene.ts';

const DIGEST = 'd'.repeat(64);

const schema = z.record(z.string(), z.unknown());
const media = z.strictObject({ schema });
const content = z.record(z.string().regex(/^[a-z]+\/[a-z.+-]+$/), media);
const operation = z.strictObject({
  operationId: z.string(),
  tags: z.array(z.string()).min(1),
  summary: z.string().min(5),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(z.strictObject({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean().optional(), description: z.string().optional(), schema })).optional(),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), z.strictObject({ description: z.string().min(1), headers: z.record(z.string(), z.unknown()).optional(), content: content.optional() })),
});
/** OpenAPI 3.1 as far as the document uses it; whatever else is in it is a mistake. */
const openapi = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'delete']), operation)),
  components: z.strictObject({ schemas: z.record(z.string().regex(/^[A-Za-z]+$/), schema), securitySchemes: z.record(z.string(), z.record(z.string(), z.string())) }),
  webhooks: z.strictObject({}).optional(),
});
type Document = z.output<typeof openapi>;

let document: Document;
let provider: OidcProviderDouble;
let ajv: Ajv2020;
beforeAll(async () => {
  provider = await OidcProviderDouble.start();
  const scene = await Scene.open({ provider, outsideTest: true });
  document = openapi.parse(await (await scene.ask(undefined, 'GET', '/openapi.json')).json());
  ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
  formats.default(ajv);
  ajv.addSchema(JSON.parse(placed({ $id: 'lifeboat', $defs: document.components.schemas })) as object);
  return () => provider.close();
});

const operations = (): readonly (readonly [method: string, path: string, operation: z.output<typeof operation>])[] =>
  Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, found]) => [method, path, found] as const));

/** References in the document as references to a JSON schema. */
const placed = (of: object): string => JSON.stringify(of).replaceAll('"#/components/schemas/', '"lifeboat#/$defs/');

/** What the document says against a value. */
function complaints(of: Record<string, unknown>, value: unknown): readonly string[] {
  const validate = ajv.compile(JSON.parse(placed(of)) as object);
  return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

describe('the document', () => {
  it('names everything once, and declares what is in its paths', () => {
    const ids = operations().map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [method, path, { parameters = [], requestBody, security = [] }] of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((one) => one.in === 'path').map(({ name, required }) => [name, required])).toEqual(inPath.map((name) => [name, true]));
      expect(method === 'get' || method === 'delete' ? requestBody : 'any').toBe(method === 'post' ? 'any' : undefined);
      for (const scheme of security.flatMap(Object.keys)) expect(Object.keys(document.components.securitySchemes)).toContain(scheme);
    }
  });

  it('has schemas that can be used, and no reference to what there is not', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) expect(Object.keys(document.components.schemas)).toContain(name);
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)[^"]*"/)).toBeNull();
    for (const [, , { parameters = [], requestBody, responses }] of operations()) {
      const schemas = [
        ...parameters.map((one) => one.schema),
        ...[requestBody, ...Object.values(responses)].flatMap((one) => Object.values(one?.content ?? {}).map((found) => found.schema)),
      ];
      for (const one of schemas) expect(() => complaints(one, null)).not.toThrow();
    }
  });

  it('says of every route what it may be refused with', () => {
    for (const [method, path, { responses, security }] of operations()) {
      if (security === undefined) continue;
      expect([method, path, ...['401', '403', '500', '503'].filter((status) => responses[status]?.content?.['application/problem+json'] === undefined)]).toEqual([method, path]);
    }
  });

  it('takes the requests that the server takes', () => {
    const body = (path: string): Record<string, unknown> => document.paths[path]?.post?.requestBody?.content['application/json']?.schema ?? {};
    expect(complaints(body('/v1/restores'), { plan: 'prod', target: 'spare' })).toEqual([]);
    expect(complaints(body('/v1/restores'), { plan: 'prod' })).not.toEqual([]);
    expect(complaints(body('/v1/jobs'), { kind: 'retain' })).toEqual([]);
    expect(complaints(body('/v1/jobs'), { kind: 'restore' })).not.toEqual([]);
  });
});

interface Asked {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly route: string;
  readonly status: number;
  readonly role: 'look' | 'nothing' | 'operate' | 'administer' | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly prepare?: (scene: Scene) => void;
}

const ask = (what: string, method: string, path: string, route: string, status: number, more: Partial<Asked> = {}): Asked => ({ what, method, path, route, status, role: 'administer', ...more });
const RESTORE = '/v1/restores/{id}';
const away = (scene: Scene): void => {
  scene.jobs.failing = new LifeboatError('LB_VAULT_UNAVAILABLE', 'It is away');
};
const bug = (scene: Scene): void => {
  scene.jobs.failing = new Error('unexpected');
};
const unrecorded = (scene: Scene): void => {
  scene.vault.interfere = () => {
    throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'It is away');
  };
};
const full = { plan: 'prod', target: 'spare', existing: 'update', selection: { namespaces: ['shop'] }, renameNamespaces: { shop: 'shop-test' } };

const CASES: readonly Asked[] = [
  ask('a restore', 'POST', '/v1/restores', '/v1/restores', 202, { body: full }),
  ask('a body that is not understood', 'POST', '/v1/restores', '/v1/restores', 400, { body: { plan: 7 } }),
  ask('a body that is not JSON', 'POST', '/v1/restores', '/v1/restores', 400, { body: '{' }),
  ask('no body', 'POST', '/v1/restores', '/v1/restores', 400),
  ask('a body that is too long', 'POST', '/v1/restores', '/v1/restores', 413, { body: 'x'.repeat(300_000) }),
  ask('an unknown plan', 'POST', '/v1/restores', '/v1/restores', 422, { body: { plan: 'x', target: 'spare' } }),
  ask('no credential', 'POST', '/v1/restores', '/v1/restores', 401, { role: undefined, body: full }),
  ask('too little a role', 'POST', '/v1/restores', '/v1/restores', 403, { role: 'look', body: full }),
  ask('a queue that is away', 'POST', '/v1/restores', '/v1/restores', 503, { body: full, prepare: away }),
  ask('a bug', 'POST', '/v1/restores', '/v1/restores', 500, { body: full, prepare: bug }),
  ask('no vault for the record', 'POST', '/v1/restores', '/v1/restores', 503, { body: full, prepare: unrecorded }),
  ask('a restore that waits', 'GET', '/v1/restores/restore.one', RESTORE, 200),
  ask('a restore that is to be confirmed', 'GET', '/v1/restores/restore.plan', RESTORE, 200),
  ask('a restore that has ended', 'GET', '/v1/restores/restore.done', RESTORE, 200),
  ask('a restore that was given up', 'GET', '/v1/restores/restore.failed', RESTORE, 200),
  ask('a backup, as a restore', 'GET', '/v1/restores/backup.prod.1a', RESTORE, 404),
  ask('an id that is none', 'GET', '/v1/restores/x', RESTORE, 400),
  ask('nothing to follow', 'GET', '/v1/restores/restore.none/events', `${RESTORE}/events`, 404),
  ask('a plan', 'GET', '/v1/restores/restore.plan/plan', `${RESTORE}/plan`, 200),
  ask('no plan', 'GET', '/v1/restores/restore.one/plan', `${RESTORE}/plan`, 404),
  ask('a confirmation', 'POST', '/v1/restores/restore.plan/confirm', `${RESTORE}/confirm`, 200, { body: { digest: DIGEST } }),
  ask('a confirmation of another plan', 'POST', '/v1/restores/restore.plan/confirm', `${RESTORE}/confirm`, 409, { body: { digest: 'e'.repeat(64) } }),
  ask('a confirmation of nothing', 'POST', '/v1/restores/restore.one/confirm', `${RESTORE}/confirm`, 409, { body: { digest: DIGEST } }),
  ask('a backup', 'POST', '/v1/jobs', '/v1/jobs', 202, { body: { kind: 'backup', plan: 'prod' } }),
  ask('a backup of nothing', 'POST', '/v1/jobs', '/v1/jobs', 422, { body: { kind: 'backup' } }),
  ask('jobs', 'GET', '/v1/jobs?limit=5', '/v1/jobs', 200),
  ask('jobs of a kind that there is not', 'GET', '/v1/jobs?kind=x', '/v1/jobs', 400),
  ask('a job', 'GET', '/v1/jobs/backup.prod.1a', '/v1/jobs/{id}', 200),
  ask('no job', 'GET', '/v1/jobs/backup.none', '/v1/jobs/{id}', 404),
  ask('a job cancelled', 'DELETE', '/v1/jobs/restore.one', '/v1/jobs/{id}', 200),
  ask('somebody else’s job cancelled', 'DELETE', '/v1/jobs/restore.one', '/v1/jobs/{id}', 403, { role: 'operate' }),
  ask('points', 'GET', '/v1/points?plan=prod', '/v1/points', 200),
  ask('points of an unknown plan', 'GET', '/v1/points?plan=x', '/v1/points', 404),
  ask('points of no plan', 'GET', '/v1/points', '/v1/points', 400),
  ask('plans', 'GET', '/v1/plans', '/v1/plans', 200),
  ask('status', 'GET', '/v1/status', '/v1/status', 200),
  ask('status without a queue', 'GET', '/v1/status', '/v1/status', 200, { prepare: away }),
  ask('no metrics', 'GET', '/metrics', '/metrics', 404),
  ask('health', 'GET', '/healthz', '/healthz', 200, { role: undefined }),
  ask('readiness', 'GET', '/readyz', '/readyz', 200, { role: undefined }),
  ask('no readiness', 'GET', '/readyz', '/readyz', 503, { role: undefined, prepare: away }),
];

describe('what the server answers is what the document says', () => {
  for (const { what, method, path, route, status, role, body, headers, prepare } of CASES) {
    it(`${method} ${route}: ${what}, ${status}`, async () => {
      const scene = await Scene.open({ provider });
      const at = new Date().toISOString();
      const request = { plan: 'prod', point: 'latest', target: 'spare', selection: {}, objects: [], renameNamespaces: {}, existing: 'update' as const, waitSeconds: 0, intoSource: false, dryRun: false };
      for (const id of ['restore.one', 'restore.plan', 'restore.done', 'restore.failed']) await scene.jobs.submit({ kind: 'restore', id, requestedBy: 'token:ben', at, request });
      await scene.jobs.submit({ kind: 'backup', id: 'backup.prod.1a', requestedBy: 'schedule', at, plan: 'prod' });
      scene.jobs.progress('restore.one', { phase: 'apply', done: 1, total: 2, unit: 'objects' });
      scene.jobs.unconfirm('restore.plan', DIGEST);
      scene.jobs.change('restore.done', { state: 'done', result: { ok: true, report: { ok: true, seconds: 1 } }, finishedAt: at });
      scene.jobs.change('restore.failed', { state: 'failed', failure: { code: 'LB_SITE_ACCESS', message: 'No', hint: 'Do', where: 'site "spare"' }, finishedAt: at });
      scene.jobs.change('backup.prod.1a', { state: 'done', result: { point: '20260101' }, finishedAt: at });
      prepare?.(scene);
      const response = await scene.ask(role, method, path, { ...(body !== undefined && { body }), ...(headers !== undefined && { headers }) });
      expect(response.status).toBe(status);
      const documented = document.paths[route]?.[method.toLowerCase() as 'get']?.responses[String(status)];
      const type = response.headers.get('content-type')?.split(';', 1).join('') ?? '';
      expect(complaints(documented?.content?.[type]?.schema ?? { not: {} }, await response.json())).toEqual([]);
      for (const header of Object.keys(documented?.headers ?? {})) expect(response.headers.get(header)).toBeTruthy();
    });
  }
});

describe('every answer', () => {
  it('says that it is not to be kept, framed or guessed at, and nothing about other origins', async () => {
    const scene = await Scene.open();
    for (const [role, path] of [['look', '/v1/plans'], [undefined, '/v1/plans'], [undefined, '/nothing/here'], [undefined, '/healthz']] as const) {
      const response = await scene.ask(role, 'GET', path, { headers: { origin: 'https://example.org' } });
      expect(Object.fromEntries(['cache-control', 'x-content-type-options', 'x-frame-options', 'access-control-allow-origin', 'x-powered-by'].map((name) => [name, response.headers.get(name)]))).toEqual({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'access-control-allow-origin': null,
        'x-powered-by': null,
      });
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('comes in time, or says that it does not', async () => {
    const scene = await Scene.open({ parts: { patience: 20, points: { ofPlan: () => new Promise(() => undefined) } } });
    const response = await scene.ask('look', 'GET', '/v1/plans');
    expect([response.status, await response.json()]).toEqual([503, expect.objectContaining({ code: 'LB_API_UNAVAILABLE' })]);
  });
});
