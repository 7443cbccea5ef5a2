import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Findings } from '../../src/drill/checks/findings.ts';
import { runRequest } from '../../src/drill/checks/http.ts';
import type { HttpCheck } from '../../src/drill/checks/http.ts';
import type { SiteConnection } from '../../src/site/connect.ts';

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
    else if (request.url === '/endless') {
      const timer = setInterval(() => response.write('x'.repeat(256 * 1024)), 1);
      response.once('close', () => clearInterval(timer));
    } else if (request.url !== '/silent') response.writeHead(200).end('all is well');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const noApiServer: SiteConnection = {
  name: 'none',
  server: '',
  request: () => Promise.reject(new Error('the API server was asked')),
  stream: () => Promise.reject(new Error('the API server was asked')),
  retrying: (work) => work(() => undefined),
  close: () => Promise.resolve(),
};

async function ask(check: Omit<HttpCheck, 'name' | 'timeoutMs'> & { readonly timeoutMs?: number }): Promise<{ readonly outcome: string; readonly messages: readonly string[]; readonly said: string }> {
  const found = new Findings();
  const said = await runRequest({ name: 'test', timeoutMs: 60_000, ...check }, noApiServer, false, undefined, found);
  const { outcome, findings } = found.result({ id: 'custom', title: 'test' }, 0);
  return { outcome, messages: findings.map(({ message }) => message), said };
}

describe('a request to an address', () => {
  it('passes with the answer it should get', async () => {
    expect(await ask({ url: `${base}/` })).toEqual({ outcome: 'passed', messages: [], said: 'all is well' });
    expect(await ask({ url: `${base}/`, status: 200, contains: 'well' })).toMatchObject({ outcome: 'passed' });
    expect(await ask({ url: `${base}/redirect`, status: 302 })).toMatchObject({ outcome: 'passed' });
  });

  it('fails with any other, and says how', async () => {
    expect(await ask({ url: `${base}/`, contains: 'broken' })).toMatchObject({ outcome: 'failed', messages: ['the answer does not contain "broken"'] });
    expect(await ask({ url: `${base}/redirect` })).toMatchObject({ messages: ['it answered with 302, not one of 200 to 299'] });
    expect(await ask({ url: `${base}/silent`, timeoutMs: 200 })).toMatchObject({ messages: ['no answer within 0.2 s'] });
    expect(await ask({ url: 'http://127.0.0.1:1/' })).toMatchObject({ outcome: 'failed' });
  });

  it('reads no more of an answer than it looks at', async () => {
    const { outcome, said } = await ask({ url: `${base}/endless` });
    expect({ outcome, said: said.length }).toEqual({ outcome: 'passed', said: 1024 });
  });
});
