import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { edit, furnish, makeHome } from '../cli/home.ts';
import type { Home } from '../cli/home.ts';
import { configMap, openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { compileCache } from '../support/compile-cache.ts';
import { LAUNCHER } from '../support/launcher.ts';
import { startValkey } from '../testbed/queue/valkey.ts';
import type { QueueServer } from '../testbed/queue/server.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';


let place: Place;
let target: Place;
let queue: QueueServer;
let provider: OidcProviderDouble;
let home: Home;
beforeAll(async () => {
  [place, target, queue, provider] = await Promise.all([
    openPlace({ name: 'prod', controllers: false }),
    openPlace({ name: 'other', controllers: false }),
    startValkey({ appendOnly: true }),
    OidcProviderDouble.start(),
  ]);
  await furnish(place.site, 'shop');
  home = await makeHome(place.site);
  await edit(home, 'lifeboat.yaml', /^sites:\n/m, `sites:\n  other: { kubeconfig: "${target.site.kubeconfigPath}" }\n`);
  await edit(home, 'lifeboat.yaml', /^ {4}site: prod\n/m, '    site: prod\n    schedule: { every: 1h }\n    objectives: { rpo: 2h, rto: 10m }\n');
  await appendFile(
    home.path('lifeboat.yaml'),
    `
queue: { type: redis, url: "${queue.url}" }
server:
  listen: 127.0.0.1:0
  oidc: { issuer: "${provider.issuer}", audience: lifeboat, roles: { viewer: [look], operator: [operate], admin: [administer] } }
  audit: { key: lifeboat-audit.key }
`,
  );
  const { code, stderr } = await home.run(['audit', 'init']);
  if (code !== 0) throw new Error(stderr);
});
afterAll(async () => {
  await provider?.close();
  await queue?.stop();
  await place?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

/** `lifeboat serve` in a process of its own, as users run it. */
async function serve(args: readonly string[] = []): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const child = spawn(process.execPath, [LAUNCHER, 'serve', ...args], { cwd: home.folder, env: { PATH: process.env['PATH'], HOME: home.folder, ...compileCache }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /listening on (\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error(`it does not serve: ${said}`)));
  });
  return { url, process: child };
}

const restoreSchema = z.object({ id: z.string(), state: z.string(), report: z.looseObject({ ok: z.boolean() }).optional() });

describe('lifeboat serve, with a queue, vaults and clusters', () => {
  it('takes the backup that is due, restores on demand into another cluster, is killed meanwhile, and has all of it on record', async () => {
    const first = await serve();
    const headers = { authorization: `Bearer ${await provider.token({ claims: { roles: ['operate'] } })}`, 'content-type': 'application/json' };
    const ask = async (url: string, init: RequestInit = {}): Promise<unknown> => {
      const answer = await fetch(url, { ...init, headers });
      expect(answer.status).toBeLessThan(300);
      return answer.json();
    };
    const plans = z.object({ plans: z.array(z.looseObject({ newestSafePoint: z.looseObject({ id: z.string() }).optional() })) });
    await expect.poll(async () => plans.parse(await ask(`${first.url}/v1/plans`)).plans[0]?.newestSafePoint?.id, { timeout: 120_000, interval: 500 }).toBeDefined();
    const metrics = await (await fetch(`${first.url}/metrics`, { headers })).text();
    expect(metrics).toMatch(/^lifeboat_queue_up 1$/m);

    const { id } = z.object({ id: z.string() }).parse(await ask(`${first.url}/v1/restores`, { method: 'POST', body: JSON.stringify({ plan: 'prod', target: 'other' }) }));
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    const second = await serve();
    try {
      await expect.poll(async () => restoreSchema.parse(await ask(`${second.url}/v1/restores/${id}`)).state, { timeout: 120_000, interval: 500 }).toBe('done');
      expect(restoreSchema.parse(await ask(`${second.url}/v1/restores/${id}`))).toMatchObject({ id, report: { ok: true } });
      expect(await target.find(configMap('shop', 'prices'))).toMatchObject({ data: { bread: '3.20' } });
    } finally {
      const ended = once(second.process, 'exit');
      second.process.kill('SIGTERM');
      expect((await ended)[0]).toBe(0);
    }
    const trail = await home.json(z.looseObject({ ok: z.boolean(), servers: z.array(z.looseObject({ records: z.number() })) }), 0, ['audit', 'verify']);
    expect(trail.servers[0]?.records).toBeGreaterThanOrEqual(2);
  });
});
