import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { edit, furnish, makeHome } from '../cli/home.ts';
import type { Home } from '../cli/home.ts';
import { openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { LAUNCHER } from '../support/launcher.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';

let place: Place;
let target: Place;
let home: Home;
let provider: OidcProviderDouble;
let server: ChildProcess;
let url: string;
let said = '';

beforeAll(async () => {
  [place, target, provider] = await Promise.all([openPlace({ name: 'prod', controllers: false }), openPlace({ name: 'other', controllers: false }), OidcProviderDouble.start()]);
  await furnish(place.site, 'shop');
  home = await makeHome(place.site);
  await edit(home, 'lifeboat.yaml', /^sites:\n/m, `sites:\n  other: { kubeconfig: "${target.site.kubeconfigPath}" }\n`);
  await appendFile(
    home.path('lifeboat.yaml'),
    `\nserver:\n  listen: 127.0.0.1:0\n  oidc: { issuer: "${provider.issuer}", audience: lifeboat, roles: { operator: [operate], admin: [administer] } }\n  audit: { key: lifeboat-audit.key }\n  secondPerson: true\n`,
  );
  expect((await home.run(['audit', 'init'])).code).toBe(0);
  const listening = Promise.withResolvers<string>();
  server = spawn(process.execPath, [LAUNCHER, 'serve'], { cwd: home.folder, env: { PATH: process.env['PATH'] ?? '', HOME: home.folder }, stdio: ['ignore', 'ignore', 'pipe'] });
  server.stderr?.setEncoding('utf8').on('data', (part: string) => {
    said += part;
    const found = /listening on (\S+)/.exec(said)?.[1];
    if (found !== undefined) listening.resolve(found);
  });
  server.once('exit', () => listening.reject(new Error(`the server ended: ${said}`)));
  url = await listening.promise;
});
afterAll(async () => {
  if (server?.exitCode === null) server.kill('SIGKILL');
  await Promise.all([place?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose](), provider?.close()]);
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

const token = (role: string): Promise<string> => provider.token({ subject: `${role}r`, claims: { roles: [role] } });

async function api(role: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${await token(role)}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, unknown>;
}

/** What bread costs in the target. */
const bread = async (): Promise<unknown> => ((await target.site.api.get('/api/v1/namespaces/shop/configmaps/prices'))['data'] as Record<string, unknown>)['bread'];

const cli = async (role: string, args: readonly string[]) => home.run(args, { env: { LIFEBOAT_TOKEN: await token(role) } });

it('a server with the embedded queue backs up, restores, and restores over what exists once a second person has confirmed it, on real control planes', async () => {
  const { id } = await api('operate', '/v1/jobs', { kind: 'backup', plan: 'prod' });
  await expect.poll(async () => (await api('operate', `/v1/jobs/${String(id)}`))['state'], { timeout: 120_000, interval: 200 }).toBe('done');
  await expect.poll(async () => (await api('operate', '/v1/points?plan=prod'))['points'], { timeout: 120_000, interval: 1000 }).toMatchObject([{ site: 'prod', safe: true, complete: true, vaults: ['near', 'far'] }]);
  expect(await api('operate', '/v1/status')).toMatchObject({ queue: { ok: true }, plans: [{ name: 'prod', newestSafePoint: {} }] });

  const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${await token('operate')}` } });
  expect([metrics.headers.get('content-type'), await metrics.text()]).toEqual([expect.stringContaining('text/plain'), expect.stringContaining('lifeboat_build_info{')]);

  const first = await cli('operate', ['restore', 'latest', '--server', url, '--to', 'other', '-n', 'shop', '--yes', '--follow']);
  expect([first.code, first.stderr]).toEqual([0, expect.stringContaining('restore.')]);
  expect(first.stdout).toMatch(/^restored: restore\./);
  expect(await bread()).toBe('3.20');

  await target.site.api.patch('/api/v1/namespaces/shop/configmaps/prices', { data: { bread: '9.99' } });
  expect(await bread()).toBe('9.99');
  const asked = (await api('operate', '/v1/restores', { plan: 'prod', target: 'other', existing: 'update', selection: { namespaces: ['shop'] } }))['id'] as string;
  await expect.poll(async () => (await api('operate', `/v1/restores/${asked}`))['state'], { timeout: 120_000, interval: 200 }).toBe('unconfirmed');
  const plan = await api('administer', `/v1/restores/${asked}/plan`);
  expect(plan['update']).toEqual([expect.stringContaining('shop/prices')]);
  const wrong = await cli('administer', ['restore', '--server', url, '--follow', asked, '--confirm', 'e'.repeat(64)]);
  expect(wrong.stderr).toContain('code: LB_CONFIRMATION');
  const confirmed = await cli('administer', ['restore', '--server', url, '--follow', asked, '--confirm', String(plan['digest'])]);
  expect([confirmed.code, confirmed.stdout]).toEqual([0, expect.stringMatching(/^restored: /)]);
  expect(await bread()).toBe('3.20');

  server.kill('SIGTERM');
  const [code] = (await once(server, 'exit')) as [number | null];
  expect([code, said]).toEqual([0, expect.stringContaining('stopped')]);
  const audit = await home.run(['audit', 'verify']);
  expect([audit.code, audit.stderr]).toEqual([0, '']);
  const listed = await home.run(['audit', 'list', '--who', 'administerr']);
  expect(listed.stdout).toContain('failed 409 LB_CONFIRMATION');
  expect(listed.stdout).toContain('done 200');
});
