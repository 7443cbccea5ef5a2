import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { connectSite } from '../../src/site/connect.ts';
import type { ConnectOptions } from '../../src/site/connect.ts';
import { loadCredentials } from '../../src/site/credentials.ts';
import { inClusterAccess, readKubeconfig } from '../../src/site/kubeconfig.ts';
import { discover } from '../../src/site/discover.ts';
import { typeName } from '../../src/site/types.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { SeenRequest } from '../testbed/fault-proxy.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { proxyBefore } from './proxy.ts';

interface Kubeconfig {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  users: { name: string; user: Record<string, unknown> }[];
  contexts: { name: string; context: { cluster: string; user?: string } }[];
  'current-context': string;
}

let site: Site;
let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-connect-'));
  site = await startSite({ controllers: false });
});
afterAll(async () => {
  await site.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Writes a changed copy of the admin's kubeconfig (or of another) and returns its path. */
async function kubeconfig(change: (config: Kubeconfig) => void, from: string = site.kubeconfigPath): Promise<string> {
  const config = parse(await readFile(from, 'utf8')) as Kubeconfig;
  change(config);
  files += 1;
  const path = join(folder, `config-${files}`);
  await writeFile(path, stringify(config));
  return path;
}

const setUser = (user: Record<string, unknown>) => (config: Kubeconfig) => {
  config.users.forEach((entry) => {
    entry.user = user;
  });
};
const setCluster = (cluster: Record<string, unknown>) => (config: Kubeconfig) => {
  config.clusters.forEach((entry) => {
    entry.cluster = { ...entry.cluster, ...cluster };
  });
};

/** Who the API server takes the connection for. */
async function whoAmI(options: Omit<ConnectOptions, 'name'>): Promise<string> {
  const connection = await connectSite({ name: 'test', ...options });
  try {
    const answer = await connection.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
      doing: 'ask who I am',
    });
    const { status } = JSON.parse(answer.body.toString('utf8')) as { status: { userInfo: { username: string } } };
    return status.userInfo.username;
  } finally {
    await connection.close();
  }
}

interface Plugin {
  readonly command: string;
  readonly runs: () => Promise<number>;
  readonly set: (status: Record<string, unknown>) => Promise<void>;
}

/** A credential plugin: a script that counts its runs and prints what is in a file. */
async function plugin(status: Record<string, unknown>): Promise<Plugin> {
  files += 1;
  const command = join(folder, `plugin-${files}`);
  const set = (next: Record<string, unknown>): Promise<void> =>
    writeFile(`${command}.json`, JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: next }));
  await set(status);
  await writeFile(command, `#!/bin/sh\necho run >> "$0.runs"\n[ -n "$KUBERNETES_EXEC_INFO" ] || exit 7\ncat "$0.json"\n`);
  await chmod(command, 0o755);
  return { command, set, runs: async () => (await readFile(`${command}.runs`, 'utf8')).trim().split('\n').length };
}

describe('credentials', () => {
  it('takes a token', async () => {
    expect(await whoAmI({ kubeconfig: site.kubeconfigPath })).toBe('admin');
  });

  it('takes a client certificate, from data or from files beside the kubeconfig', async () => {
    const withData = await site.kubeconfigFor({ user: 'jane', groups: ['system:masters'] });
    expect(await whoAmI({ kubeconfig: withData })).toBe('jane');
    const withFiles = await kubeconfig((config) => {
      for (const { user } of config.users) {
        for (const name of ['client-certificate', 'client-key']) {
          if (user[`${name}-data`] === undefined) continue;
          user[name] = `${name}.pem`;
          delete user[`${name}-data`];
        }
      }
    }, withData);
    const { users } = parse(await readFile(withData, 'utf8')) as Kubeconfig;
    for (const name of ['client-certificate', 'client-key']) {
      const data = users[0]?.user[`${name}-data`];
      if (typeof data === 'string') await writeFile(join(folder, `${name}.pem`), Buffer.from(data, 'base64'));
    }
    expect(await whoAmI({ kubeconfig: withFiles })).toBe('jane');
  });

  it('runs a credential plugin, once for many requests', async () => {
    const { command, runs } = await plugin({ token: site.adminToken });
    const path = await kubeconfig(setUser({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' } }));
    const connection = await connectSite({ name: 'test', kubeconfig: path });
    await Promise.all(Array.from({ length: 10 }, () => connection.request({ path: '/api', doing: 'discover' })));
    await connection.close();
    expect(await runs()).toBe(1);
  });

  it('runs the plugin again when its token is refused', async () => {
    const { command, runs, set } = await plugin({ token: 'expired' });
    const path = await kubeconfig(setUser({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } }));
    const connection = await connectSite({ name: 'test', kubeconfig: path });
    await set({ token: site.adminToken });
    await Promise.all(Array.from({ length: 5 }, () => connection.request({ path: '/api/v1/nodes', doing: 'list nodes' })));
    await connection.close();
    expect(await runs()).toBe(2);
  });

  it('reads a token file again when the token is refused', async () => {
    await writeFile(join(folder, 'token'), 'old\n');
    const path = await kubeconfig(setUser({ tokenFile: 'token' }));
    const connection = await connectSite({ name: 'test', kubeconfig: path });
    await writeFile(join(folder, 'token'), `${site.adminToken}\n`);
    await connection.request({ path: '/api/v1/nodes', doing: 'list nodes' });
    await connection.close();
  });

  it('impersonates', async () => {
    const path = await kubeconfig((config) => {
      for (const entry of config.users) entry.user = { ...entry.user, as: 'deputy', 'as-groups': ['system:masters', 'others'] };
    });
    expect(await whoAmI({ kubeconfig: path })).toBe('deputy');
  });

  it('uses the service account of the pod it runs in', async () => {
    await writeFile(join(folder, 'token'), site.adminToken);
    await writeFile(join(folder, 'ca.crt'), await readFile(site.caFile));
    const { hostname, port } = new URL(site.url);
    const access = inClusterAccess({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, folder);
    const credentials = await loadCredentials(access);
    expect(access.cluster.server).toBe(site.url);
    expect(credentials.tls.ca).toContain('BEGIN CERTIFICATE');
    expect(await credentials.headers()).toEqual({ authorization: `Bearer ${site.adminToken}` });
    expect(() => inClusterAccess({})).toThrow(expect.objectContaining({ code: 'LB_SITE_CONFIG' }));
  });

  it('merges several kubeconfig files as kubectl does: the first to say something wins', async () => {
    const one = join(folder, 'one');
    const two = join(folder, 'two');
    await writeFile(one, stringify({ 'current-context': 'b', users: [{ name: 'u', user: { token: 'first' } }] }));
    await writeFile(
      two,
      stringify({
        'current-context': 'a',
        users: [{ name: 'u', user: { token: 'second' } }],
        clusters: [{ name: 'c', cluster: { server: 'https://example.org' } }],
        contexts: [
          { name: 'a', context: { cluster: 'c', user: 'u' } },
          { name: 'b', context: { cluster: 'c', user: 'u' } },
        ],
      }),
    );
    expect(await readKubeconfig([one, two])).toMatchObject({ context: 'b', user: { token: 'first' }, cluster: { server: 'https://example.org' } });
  });
});

describe('the way there', () => {
  it('goes below a path, as behind Rancher', async () => {
    await using proxy = await startFaultProxy({ upstream: site.url });
    proxy.inject({ action: { do: 'answer', status: 200, body: '{}' } });
    const connection = await connectSite({ name: 'test', kubeconfig: await kubeconfig(setCluster({ server: `${proxy.url}/k8s/clusters/c-1/` })) });
    await connection.request({ path: '/api', query: { a: 'b c', absent: undefined }, doing: 'discover' });
    await connection.close();
    expect(proxy.requests).toEqual([{ method: 'GET', url: '/k8s/clusters/c-1/api?a=b+c' }]);
  });

  it('asks for compressed answers from afar, and reads them', async () => {
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-encoding': request.headers['accept-encoding'] }).end(gzipSync('{"compressed":true}'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // An address that leads to this machine and does not look like it.
    const url = `http://0.0.0.0:${(server.address() as AddressInfo).port}`;
    const connection = await connectSite({ name: 'test', kubeconfig: await kubeconfig(setCluster({ server: url })) });
    const answer = await connection.request({ path: '/api', doing: 'discover' });
    expect(answer.body.toString()).toBe('{"compressed":true}');
    await connection.close();
    server.close();
  });

  it('goes through the proxy the kubeconfig names', async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const { hostname, port } = new URL(site.url);
      const through = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      for (const side of [socket, through]) side.on('error', () => side.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    expect(await whoAmI({ kubeconfig: await kubeconfig(setCluster({ 'proxy-url': proxyUrl })) })).toBe('admin');
    expect(tunnels).toEqual([new URL(site.url).host]);
    proxy.close();
    proxy.closeAllConnections();
    const path = await kubeconfig(setCluster({ 'proxy-url': 'ftp://example.org' }));
    await expect(connectSite({ name: 'test', kubeconfig: path })).rejects.toMatchObject({ code: 'LB_SITE_CONFIG' });
  });

  it('checks the server against tls-server-name', async () => {
    const good = await kubeconfig(setCluster({ 'tls-server-name': 'localhost' }));
    expect(await whoAmI({ kubeconfig: good })).toBe('admin');
    const wrong = await kubeconfig(setCluster({ 'tls-server-name': 'elsewhere.example.org' }));
    await expect(whoAmI({ kubeconfig: wrong })).rejects.toMatchObject({ code: 'LB_SITE_CONFIG' });
  });
});

describe('what goes wrong', () => {
  const failure = async (options: Omit<ConnectOptions, 'name'>): Promise<unknown> => whoAmI(options).catch((error: unknown) => error);

  it.each([
    ['a file that is not there', async () => join(folder, 'absent'), /absent.*ENOENT/],
    ['a file that is not YAML', async () => textFile('{ "a": [ }'), /not YAML/],
    ['a server that is no URL', async () => kubeconfig(setCluster({ server: 'example' })), /clusters\.0\.cluster\.server: must be an http or https URL/],
    ['no current context', async () => kubeconfig((config) => (config['current-context'] = '')), /names no current context/],
    ['a context that is not there', async () => kubeconfig((config) => (config['current-context'] = 'x')), /has no context "x"/],
    ['a user that is not there', async () => kubeconfig((config) => (config.users = [])), /names the user .* which is not there/],
    ['a plugin that is not there', async () => kubeconfig(setUser({ exec: { command: './absent' } })), /credential plugin .*absent failed/],
    ['a certificate that is not there', async () => kubeconfig(setUser({ 'client-certificate': 'x.pem' })), /cannot be read.*x\.pem/],
  ])('says what is wrong with the kubeconfig: %s', async (_, path, message) => {
    const error = await failure({ kubeconfig: await path() });
    expect(error).toMatchObject({ code: 'LB_SITE_CONFIG' });
    expect(String(error)).toMatch(message);
  });

  async function textFile(text: string): Promise<string> {
    const path = join(folder, 'text');
    await writeFile(path, text);
    return path;
  }

  it('never shows the credentials of a kubeconfig that is malformed', async () => {
    const path = await textFile('users:\n- name: u\n  user: { token: sEcReT\n');
    expect(String(await failure({ kubeconfig: path }))).not.toContain('sEcReT');
  });

  it('does not trust a server that another authority vouches for', async () => {
    const path = await kubeconfig((config) => {
      for (const { cluster } of config.clusters) {
        delete cluster['certificate-authority'];
        delete cluster['certificate-authority-data'];
      }
    });
    expect(await failure({ kubeconfig: path })).toMatchObject({ code: 'LB_SITE_CONFIG' });
    const trusting = await kubeconfig(setCluster({ 'insecure-skip-tls-verify': true }), path);
    expect(await whoAmI({ kubeconfig: trusting })).toBe('admin');
  });

  it('says that nobody answers, after trying for a moment', async () => {
    const path = await kubeconfig(setCluster({ server: 'https://127.0.0.1:1' }));
    expect(await failure({ kubeconfig: path })).toMatchObject({ code: 'LB_SITE_UNREACHABLE', retriable: true });
  });

  it('is patient with a server that has answered anything, also what it was asked at the same time', async () => {
    await using proxy = await proxyBefore(site);
    const connection = await connectSite({ name: 'prod', kubeconfig: await site.kubeconfigVia(proxy.url), headersTimeoutMs: 4_000 });
    const isCore = ({ url }: SeenRequest): boolean => url === '/api';
    const [refused, hanging] = [proxy.inject({ action: { do: 'refuse' }, when: isCore }), proxy.inject({ action: { do: 'hang' }, when: isCore })];
    const { types } = await discover(connection);
    await connection.close();
    expect([refused.hits, hanging.hits]).toEqual([1, 1]);
    expect(types.map(typeName)).toEqual(expect.arrayContaining(['configmaps', 'deployments.apps']));
  });

  it('says that the credentials are not accepted', async () => {
    const path = await kubeconfig(setUser({ token: 'wrong' }));
    expect(await failure({ kubeconfig: path })).toMatchObject({ code: 'LB_SITE_ACCESS', status: 401 });
  });

  it('says which verb and resource is not allowed', async () => {
    const connection = await connectSite({ name: 'prod', kubeconfig: await site.kubeconfigFor({ user: 'nobody' }) });
    const refused = connection.request({ path: '/api/v1/secrets', doing: 'list secrets' });
    await expect(refused).rejects.toMatchObject({ code: 'LB_SITE_ACCESS', status: 403, where: 'site "prod"' });
    await expect(refused).rejects.toThrow(/list secrets.*nobody/);
    await connection.close();
  });

  it('breaks off what is under way when it is closed, and does nothing after', async () => {
    await using proxy = await startFaultProxy({ upstream: site.url });
    proxy.inject({ action: { do: 'hang' }, times: 10 });
    const connection = await connectSite({ name: 'test', kubeconfig: await kubeconfig(setCluster({ server: proxy.url })) });
    const waiting = connection.request({ path: '/api', doing: 'discover' });
    setTimeout(() => void connection.close(), 50);
    await expect(waiting).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    await connection.close();
  });

  it('ends at once when its signal fires', async () => {
    await using proxy = await startFaultProxy({ upstream: site.url });
    proxy.inject({ action: { do: 'hang' }, times: 10 });
    const connection = await connectSite({ name: 'test', kubeconfig: await kubeconfig(setCluster({ server: proxy.url })) });
    const stop = new AbortController();
    const waiting = connection.request({ path: '/api', doing: 'discover', signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(waiting).rejects.toThrow('enough');
    await connection.close();
  });

  it('does not wait for ever for an answer to begin or to go on', async () => {
    await using proxy = await startFaultProxy({ upstream: site.url, upstreamCa: await readFile(site.caFile, 'utf8') });
    const quick = { headersTimeoutMs: 300, bodyTimeoutMs: 300, retry: { outageMs: 1, busyAttempts: 1, failingAttempts: 1 } };
    const connection = await connectSite({ name: 'test', kubeconfig: await kubeconfig(setCluster({ server: proxy.url })), ...quick });
    proxy.inject({ action: { do: 'hang' } });
    await expect(connection.request({ path: '/api', doing: 'discover', retry: false })).rejects.toMatchObject({ code: 'LB_SITE_UNREACHABLE' });
    proxy.inject({ action: { do: 'harm-answer', body: { hangAfter: 10 } } });
    await expect(connection.request({ path: '/api', doing: 'discover', retry: false })).rejects.toMatchObject({ code: 'LB_SITE_UNREACHABLE' });
    await connection.close();
  });
});
