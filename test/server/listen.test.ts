import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerConfig } from '../../src/config/service-schema.ts';
import { listen } from '../../src/server/listen.ts';
import type { Listening } from '../../src/server/listen.ts';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';
import type { Authority, Credential } from '../../src/drill/cluster/certificates.ts';
import { fetchOver } from './https.ts';
import { Scene } from './scene.ts';

interface Place {
  readonly scene: Scene;
  readonly listening: Listening;
  readonly clients: Authority;
  readonly servers: Authority;
  readonly write: (name: string, text: string) => Promise<void>;
  readonly at: (name: string) => string;
}

const OWN = { commonName: 'lifeboat', usage: 'server' as const, addresses: ['127.0.0.1'] };

/** The real server over TLS on loopback, with certificates of two authorities. */
async function place(more: Partial<ServerConfig> = {}): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-server-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const [clients, servers] = [createAuthority('clients'), createAuthority('servers')];
  const own = servers.issue(OWN);
  await Promise.all([write('tls.pem', own.certificate), write('tls.key', own.key), write('clients.pem', clients.certificate)]);
  const scene = await Scene.open();
  const { server } = scene.parts.config;
  if (server === undefined) throw new Error('there is no server');
  const at = (name: string): string => join(folder, name);
  const listening = await listen(scene.app, {
    ...server,
    listen: '127.0.0.1:0',
    certificate: at('tls.pem'),
    key: at('tls.key'),
    mtls: { ca: at('clients.pem'), roles: server.mtls?.roles ?? {} },
    ...more,
  });
  onTestFinished(() => listening.close(100));
  return { scene, listening, clients, servers, write, at };
}

const client = (authority: Authority, commonName: string, usage: 'client' | 'server' = 'client'): Credential => authority.issue({ commonName, usage });
const tls = (servers: Authority, credential?: Credential) => ({ ca: servers.certificate, ...(credential !== undefined && { cert: credential.certificate, key: credential.key }) });

describe('a client certificate', () => {
  it('says whether anybody on the way could listen in', async () => {
    const { listening, scene } = await place();
    expect(listening.isPrivate).toBe(true);
    for (const [address, isPrivate] of [['127.0.0.1:0', true], ['0.0.0.0:0', false]] as const) {
      const plain = await listen(scene.app, { audit: {}, listen: address });
      expect([address, plain.isPrivate]).toEqual([address, isPrivate]);
      await plain.close(0);
    }
  });

  it('of the authority of the configuration is a credential, by the common name of its subject', async () => {
    const { clients, listening, scene, servers } = await place();
    expect((await fetchOver(`${listening.url}/v1/plans`, tls(servers, client(clients, 'look')))).status).toBe(200);
    const body = JSON.stringify({ plan: 'prod', target: 'spare' });
    const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect((await fetchOver(`${listening.url}/v1/restores`, { ...tls(servers, client(clients, 'look')), ...post })).status).toBe(403);
    const answer = await fetchOver(`${listening.url}/v1/restores`, { ...tls(servers, client(clients, 'operate')), ...post });
    expect(answer.status).toBe(202);
    expect([...scene.jobs.jobs.values()].map(({ job }) => job.requestedBy)).toEqual(['certificate:operate']);
    const [record] = (await scene.records()).filter(({ outcome }) => outcome === 'begun');
    expect(record).toMatchObject({ who: { kind: 'certificate', subject: 'operate', issuer: 'CN=clients', role: 'operator' }, from: '127.0.0.1' });
    expect(record?.who.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of another authority, one for servers, and one that was not sent are none', async () => {
    const { clients, listening, servers } = await place();
    for (const credential of [client(createAuthority('clients'), 'administer'), client(clients, 'administer', 'server'), client(servers, 'administer'), undefined]) {
      const answer = await fetchOver(`${listening.url}/v1/plans`, tls(servers, credential));
      expect([answer.status, (JSON.parse(answer.text) as { code: string }).code]).toEqual([401, 'LB_API_UNAUTHENTICATED']);
    }
  });

  it('of somebody without a role is known, and permitted nothing', async () => {
    const { clients, listening, servers } = await place();
    expect((await fetchOver(`${listening.url}/v1/plans`, tls(servers, client(clients, 'stranger')))).status).toBe(403);
  });

  it('and a token at once are refused; a token alone is taken', async () => {
    const { clients, listening, scene, servers } = await place();
    const headers = { authorization: `Bearer ${await scene.token('look')}` };
    expect((await fetchOver(`${listening.url}/v1/plans`, { ...tls(servers, client(clients, 'look')), headers })).status).toBe(401);
    expect((await fetchOver(`${listening.url}/v1/plans`, { ...tls(servers), headers })).status).toBe(200);
  });
});

describe('a request whose length is not said beforehand', () => {
  it('is answered, with a body and without one', async () => {
    const { clients, listening, scene, servers } = await place();
    const operator = tls(servers, client(clients, 'operate'));
    const body = JSON.stringify({ plan: 'prod', target: 'spare' });
    const asked = await fetchOver(`${listening.url}/v1/restores`, { ...operator, method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, body });
    expect(asked.status).toBe(202);
    const { id } = JSON.parse(asked.text) as { id: string };
    const canceled = await fetchOver(`${listening.url}/v1/jobs/${id}`, { ...operator, method: 'DELETE' });
    expect(canceled.status).toBe(200);
    expect([...scene.jobs.jobs.values()].map(({ state }) => state)).toEqual(['canceled']);
    expect(scene.log.filter(({ status }) => status >= 500)).toEqual([]);
  });

  it('is refused when it is too long', async () => {
    const { clients, listening, scene, servers } = await place();
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const answer = await fetchOver(`${listening.url}/v1/restores`, { ...tls(servers, client(clients, 'operate')), method: 'POST', headers, body: JSON.stringify({ plan: 'x'.repeat(300_000) }) });
    expect([answer.status, (JSON.parse(answer.text) as { detail: string }).detail]).toEqual([413, 'The body is longer than 256 KiB']);
    expect(scene.jobs.jobs.size).toBe(0);
  });
});

describe('the certificate of the server', () => {
  it('is read again when asked for, and so are the authorities of clients', async () => {
    const { clients, listening, servers, write } = await place();
    const [newServers, newClients] = [createAuthority('servers'), createAuthority('clients')];
    const own = newServers.issue(OWN);
    await Promise.all([write('tls.pem', own.certificate), write('tls.key', own.key), write('clients.pem', newClients.certificate)]);
    expect((await fetchOver(`${listening.url}/healthz`, tls(servers))).status).toBe(200);
    await listening.reload();
    await expect(fetchOver(`${listening.url}/healthz`, tls(servers))).rejects.toThrow(/certificate/);
    expect((await fetchOver(`${listening.url}/v1/plans`, tls(newServers, client(newClients, 'look')))).status).toBe(200);
    expect((await fetchOver(`${listening.url}/v1/plans`, tls(newServers, client(clients, 'look')))).status).toBe(401);
    await write('tls.pem', 'not a certificate');
    await expect(listening.reload()).rejects.toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID' }));
    expect((await fetchOver(`${listening.url}/healthz`, tls(newServers))).status).toBe(200);
  });

  it('is named when it is not there, or its key is none', async () => {
    const { scene } = await place();
    const { server } = scene.parts.config;
    if (server === undefined) throw new Error('there is no server');
    await expect(listen(scene.app, { ...server, certificate: '/nowhere/tls.pem' })).rejects.toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID', where: '/nowhere/tls.pem' }));
    await expect(place({ key: (await place()).at('clients.pem') })).rejects.toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID', where: expect.stringContaining('tls.pem') as string }));
    await expect(listen(scene.app, { ...server, listen: 'everywhere' })).rejects.toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID' }));
  });
});

describe('the end of the server', () => {
  it('waits for the request that is under way, and takes no other', async () => {
    const { clients, listening, scene, servers } = await place();
    const waiting = Promise.withResolvers<never[]>();
    const asked = Promise.withResolvers<void>();
    Object.assign(scene.parts.points, {
      ofPlan: () => {
        asked.resolve();
        return waiting.promise;
      },
    });
    const answer = fetchOver(`${listening.url}/v1/plans`, tls(servers, client(clients, 'look')));
    await asked.promise;
    const closed = listening.close(60_000);
    await expect(fetchOver(`${listening.url}/healthz`, tls(servers))).rejects.toThrow('ECONNREFUSED');
    waiting.resolve([]);
    expect((await answer).status).toBe(200);
    await closed;
  });

  it('does not wait longer than it is told to', async () => {
    const { listening } = await place({});
    const socket = connect(Number(new URL(listening.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await listening.close(20);
    await ended;
    expect(socket.destroyed).toBe(true);
  });
});
