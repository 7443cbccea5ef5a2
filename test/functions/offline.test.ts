import { copyFile, cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openOwnedFolder } from '../../src/drill/keeper/owned-folder.ts';
import type { OwnedFolder, OwnedProcess } from '../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../src/drill/cluster/ports.ts';
import { formatAuditKey, generateAuditKey } from '../../src/keys/audit-key.ts';
import { furnish, makeHome } from '../cli/home.ts';
import type { Home } from '../cli/home.ts';
import { configMap, openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { startValkey } from '../testbed/queue/valkey.ts';
import type { QueueServer } from '../testbed/queue/server.ts';
import { startIssuer } from './issuer-double.ts';
import type { Issuer } from './issuer-double.ts';
import { layOut, SERVERLESS, serverlessEnv } from './service-folder.ts';

const PATIENCE_MS = 240_000;

let issuer: Issuer;
let folder: OwnedFolder;
let running: OwnedProcess;
let address: string;
let lambda: string;
let queue: QueueServer;
let place: Place;
let target: Place;
let home: Home;

/** Asks until there is an answer. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > deadline || running.end !== undefined) throw new Error(`${what} did not come:\n${await running.logTail(40)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  [issuer, queue, place, target] = await Promise.all([startIssuer(), startValkey({ appendOnly: true }), openPlace({ name: 'shop', controllers: false }), openPlace({ name: 'spare', controllers: false })]);
  await furnish(place.site, 'shop');
  home = await makeHome(place.site);
  folder = await openOwnedFolder('functions-offline');
  await layOut(folder.path);
  // What stands beside lifeboat.yaml needs no reference to where it is kept.
  const beside = (name: string): string => join(folder.path, name);
  await cp(home.folder, folder.path, { recursive: true, filter: (path) => !path.endsWith('lifeboat.yaml') });
  await Promise.all([copyFile(place.site.kubeconfigPath, beside('shop.kubeconfig')), copyFile(target.site.kubeconfigPath, beside('spare.kubeconfig'))]);
  const config = `version: 1
sites: { shop: { kubeconfig: "${beside('shop.kubeconfig')}" }, spare: { kubeconfig: "${beside('spare.kubeconfig')}" } }
vaults: { near: { type: directory, path: "${beside('near')}" }, far: { type: directory, path: "${beside('far')}" } }
keys: { write: { file: "${beside('lifeboat-write.key')}" }, read: { identityFile: "${beside('lifeboat-identity.txt')}" } }
plans: { shop: { site: shop, vaults: [near, far], schedule: { every: 1m } } }
queue: { type: redis, url: '${queue.url}' }
server: { audit: { key: ${beside('audit.key')} }, oidc: { issuer: '${issuer.address}', audience: lifeboat, roles: { viewer: [auditors], operator: [sre] } } }
`;
  await writeFile(join(folder.path, 'lifeboat.yaml'), config);
  await rm(join(folder.path, 'lifeboat.aws.yaml'));
  await writeFile(join(folder.path, 'audit.key'), formatAuditKey(generateAuditKey()));
  const [http = 0, invoke = 0] = await freePorts(2);
  address = `http://127.0.0.1:${http}`;
  lambda = `http://127.0.0.1:${invoke}`;
  const env = serverlessEnv() as Record<string, string>;
  const args = ['--disable-warning=ExperimentalWarning', SERVERLESS, 'offline', '--noAuth', '--host', '127.0.0.1', '--httpPort', String(http), '--lambdaPort', String(invoke)];
  running = await folder.start({ name: 'serverless-offline', command: process.execPath, args, env });
  await until('the HTTP API', async () => (await fetch(`${address}/v1/jobs`)).status);
});
afterAll(async () => {
  await folder?.close();
  await issuer?.[Symbol.asyncDispose]();
  await queue?.stop();
  await place?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

async function call(method: string, path: string, token?: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${address}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: answer.status, body: await answer.json() };
}

/** Calls `work` as its schedule does every minute. */
async function work(): Promise<unknown> {
  const answer = await fetch(`${lambda}/2015-03-31/functions/lifeboat-prod-work/invocations`, { method: 'POST', body: '{}' });
  if (!answer.ok) throw new Error(`work: ${answer.status}`);
  return answer.json();
}

// The bundles, the framework, the tokens, the queue, the vaults and the clusters are real. What stands for the authorizer of API Gateway there
// verifies nothing (`--noAuth`): the functions do.
describe('the functions, run by serverless-offline', () => {
  it('back up when the schedule rings: one function hands the job over, another does it', async () => {
    const point = await until('the point', async () => {
      await work();
      return (await readdir(join(folder.path, 'near/points/shop'))).at(-1);
    });
    expect(await readdir(join(folder.path, 'far/points/shop'))).toContain(point);
  });

  it('restore into another cluster for whoever has a token, and show what became of it', async () => {
    const token = await issuer.token();
    const ordered = await call('POST', '/v1/restores', token, { plan: 'shop', target: 'spare' });
    expect(ordered).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^restore\./) as string } });
    const { id } = ordered.body as { id: string };
    const ended = await until('the end of the restore', async () => {
      await work();
      const { body } = await call('GET', `/v1/restores/${id}`, token);
      return ['done', 'failed'].includes((body as { state: string }).state) ? body : undefined;
    });
    expect(ended).toMatchObject({ id, state: 'done', requestedBy: 'token:ada', report: { ok: true } });
    expect(await target.find(configMap('shop', 'prices'))).toMatchObject({ data: { bread: '3.20' } });
    expect((await readdir(join(folder.path, 'near/audit'))).length).toBeGreaterThan(0);
  });

  it('turn away whoever has none', async () => {
    expect(await call('POST', '/v1/restores', undefined, { plan: 'shop', target: 'spare' })).toMatchObject({ status: 401 });
    const forged = await issuer.token({}, { key: 'other' });
    expect(await call('POST', '/v1/restores', forged, { plan: 'shop', target: 'spare' })).toMatchObject({ status: 401, body: { code: 'LB_API_UNAUTHENTICATED' } });
  });
});
