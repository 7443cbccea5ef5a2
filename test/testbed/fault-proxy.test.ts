import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { FaultProxy } from './fault-proxy.ts';

let upstream: Server;
let proxy: FaultProxy;

beforeEach(async () => {
  upstream = createServer((request, response) => {
    const answer = (body: string): void => {
      response.setHeader('x-host', request.headers.host ?? '').end(`${request.method} ${request.url} ${body}`);
    };
    // A request that breaks off is not answered.
    text(request).then(answer, () => {});
  });
  await new Promise<void>((resolve) => {
    upstream.listen(0, '127.0.0.1', resolve);
  });
  proxy = await startFaultProxy({ upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` });
});
afterEach(async () => {
  await proxy.close();
  upstream.closeAllConnections();
  upstream.close();
});

const post = (body: string, path = '/a?b=c'): Promise<Response> => fetch(`${proxy.url}${path}`, { method: 'POST', body });
const posted = async (body: string): Promise<string> => (await post(body)).text();
const fails = async (call: Promise<unknown>): Promise<boolean> => call.then(() => false, () => true);

it('passes everything on as it came', async () => {
  const response = await post('hello');
  expect(await response.text()).toBe('POST /a?b=c hello');
  expect(response.headers.get('x-host')).toBe(new URL(proxy.url).host);
  expect(proxy.requests).toEqual([{ method: 'POST', url: '/a?b=c' }]);
});

it('does harm to as many matching requests as it was told, after as many as it was told', async () => {
  const fault = proxy.inject({ action: { do: 'answer', status: 503, body: 'busy' }, when: ({ url }) => url === '/x', after: 1, times: 2 });
  const statuses: number[] = [];
  for (const path of ['/x', '/y', '/x', '/y', '/x', '/x']) statuses.push((await post('', path)).status);
  expect(statuses).toEqual([200, 200, 503, 200, 503, 200]);
  expect(fault.hits).toBe(2);
});

it('ends a fault when told', async () => {
  const fault = proxy.inject({ action: { do: 'refuse' }, times: 100 });
  expect(await fails(posted('a'))).toBe(true);
  fault.remove();
  expect(await posted('a')).toContain('POST');
  proxy.inject({ action: { do: 'refuse' }, times: 100 });
  proxy.clear();
  expect(await posted('a')).toContain('POST');
});

it('holds a request until something has happened, and the others not', async () => {
  const happened = Promise.withResolvers<void>();
  proxy.inject({ action: { do: 'hold', until: () => happened.promise } });
  let answered = false;
  const held = posted('a').finally(() => (answered = true));
  while (proxy.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await posted('b')).toContain('POST');
  expect(answered).toBe(false);
  happened.resolve();
  expect(await held).toContain('POST');
});

it('cuts, garbles and loses', async () => {
  proxy.inject({ action: { do: 'harm-request', body: { cutAfter: 3 } } });
  expect(await fails(posted('hello'))).toBe(true);
  proxy.inject({ action: { do: 'harm-answer', body: { cutAfter: 3 } } });
  expect(await fails(posted('hello'))).toBe(true);
  proxy.inject({ action: { do: 'lose-answer' } });
  expect(await fails(posted('hello'))).toBe(true);
  proxy.inject({ action: { do: 'harm-request', body: { flipAt: 1 } } });
  expect(await posted('hello')).toBe('POST /a?b=c hdllo');
  proxy.inject({ action: { do: 'harm-answer', body: { flipAt: 0 } } });
  expect(await posted('hello')).toBe('QOST /a?b=c hello');
});

it('speaks TLS to clients and to servers', async () => {
  const authority = createAuthority('authority of a test');
  const { certificate, key } = authority.issue({ commonName: 'proxy', usage: 'server', addresses: ['127.0.0.1'] });
  const secure = await startFaultProxy({ upstream: proxy.url, tls: { cert: certificate, key } });
  const trusting = await startFaultProxy({ upstream: secure.url, upstreamCa: authority.certificate });
  const distrusting = await startFaultProxy({ upstream: secure.url });
  expect(secure.url).toMatch(/^https:/);
  expect(await (await fetch(`${trusting.url}/x`)).text()).toBe('GET /x ');
  expect(await fails(fetch(distrusting.url))).toBe(true);
  for (const one of [distrusting, trusting, secure]) await one.close();
});

it('hangs until the client leaves', async () => {
  proxy.inject({ action: { do: 'hang' } });
  const stop = new AbortController();
  const call = fetch(proxy.url, { signal: stop.signal });
  while (proxy.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  expect(await fails(call)).toBe(true);
  expect(await posted('a')).toContain('POST');
});
