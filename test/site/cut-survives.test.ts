import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Warning } from '../../src/core/progress.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { ConnectOptions, SiteConnection } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import type { CutOptions } from '../../src/site/cut.ts';
import type { CutSummary } from '../../src/site/types.ts';
import type { FaultAction, FaultProxy, SeenRequest } from '../testbed/fault-proxy.ts';
import type { Answer } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { customType } from './custom-type.ts';
import { GatheringSink } from './gather.ts';
import { proxyBefore } from './proxy.ts';
import { grant } from './rbac.ts';

const OBJECTS = 400;
const TYPES = ['configmaps', 'things.many.example'];

let site: Site;
let names: string[];
beforeAll(async () => {
  site = await startSite({ controllers: false });
  await site.api.apply([customType('many.example', 'things', [{ name: 'v1', served: true, storage: true }])]);
  names = Array.from({ length: OBJECTS }, (_, index) => `object-${String(index).padStart(5, '0')}`);
  const data = { text: 'x'.repeat(500) };
  for (const type of [{ apiVersion: 'v1', kind: 'ConfigMap' }, { apiVersion: 'many.example/v1', kind: 'Thing' }]) {
    await site.api.createMany(names.map((name) => ({ ...type, metadata: { name, namespace: 'default' }, data })));
  }
});
afterAll(async () => {
  await site.stop();
});

let connections: SiteConnection[] = [];
afterEach(async () => {
  for (const connection of connections) await connection.close();
  connections = [];
});
async function connect(options: Omit<ConnectOptions, 'name'> = {}): Promise<SiteConnection> {
  const connection = await connectSite({ name: 'test', kubeconfig: site.kubeconfigPath, ...options });
  connections.push(connection);
  return connection;
}

/** A connection that does not wait for long, and has reached the API server: only until then it gives up within seconds, which a busy machine may take. */
async function connectHasty(kubeconfig = site.kubeconfigPath): Promise<SiteConnection> {
  const connection = await connect({ kubeconfig, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 });
  await vi.waitFor(() => connection.request({ path: '/version', doing: 'get /version', retry: false }), { timeout: 60_000 });
  return connection;
}

interface Cut {
  readonly sink: GatheringSink;
  readonly summary: CutSummary;
  readonly warnings: readonly string[];
}

async function cut(connection: SiteConnection, sink = new GatheringSink(), options: Partial<CutOptions> = {}): Promise<Cut> {
  const warnings: Warning[] = [];
  const summary = await cutSite(connection, {
    sink,
    selection: { types: TYPES, namespaces: ['default'] },
    pageSize: 40,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  return { sink, summary, warnings: warnings.map(({ kind }) => kind) };
}

/** Every object once, in order, of every type, at the revision. */
function expectWhole({ sink, summary }: Cut): void {
  expect(summary.types.map(({ fidelity, count }) => [fidelity, count])).toEqual(TYPES.map(() => ['exact', OBJECTS]));
  for (const type of TYPES) expect(sink.names(type)).toEqual(names);
}

/** Resolves when a site cannot be read any more as it is now. */
async function untilForgotten({ api }: Site): Promise<void> {
  const list = async (query: string): Promise<Answer> => api.send('GET', `/api/v1/namespaces?limit=1${query}`);
  const { metadata } = z.object({ metadata: z.object({ resourceVersion: z.string() }) }).parse(JSON.parse((await list('')).body.toString()));
  const asNow = `&resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`;
  await vi.waitUntil(async () => (await list(asNow)).status === 410, { timeout: 60_000, interval: 200 });
}

describe('an API server', () => {
  it('may restart in the middle of a cut', async () => {
    const sink = new GatheringSink();
    let restarted: Promise<void> | undefined;
    sink.onObject = (count) => {
      if (count === 150) restarted = site.killApiServer().then(() => site.startApiServer());
      return undefined;
    };
    const result = await cut(await connect(), sink);
    await restarted;
    expectWhole(result);
    // The revision outlives the API server: it is etcd's.
    expect(sink.restarts).toBe(0);
  });

  it('may restart when the one that reads it may read by the roles of RBAC only', async () => {
    await site.api.apply(grant('reader', [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }]));
    const sink = new GatheringSink();
    let restarted: Promise<void> | undefined;
    sink.onObject = (count) => {
      if (count === 150) restarted = site.killApiServer().then(() => site.startApiServer());
      return undefined;
    };
    const result = await cut(await connect({ kubeconfig: await site.kubeconfigFor({ user: 'reader' }) }), sink);
    await restarted;
    expectWhole(result);
  });

  it('may stop answering for a while', async () => {
    const sink = new GatheringSink();
    sink.onObject = async (count) => {
      if (count !== 150) return;
      await site.pauseApiServer();
      setTimeout(() => void site.resumeApiServer(), 2_500);
    };
    expectWhole(await cut(await connectHasty(), sink));
  });

  it('that stays away ends the cut with one clear error', async () => {
    await using other = await startSite({ controllers: false });
    const sink = new GatheringSink();
    sink.onObject = () => other.killApiServer().catch(() => undefined);
    const limits = { outageMs: 2_000, busyAttempts: 3, failingAttempts: 3 };
    const connection = await connect({ kubeconfig: other.kubeconfigPath, retry: limits });
    await expect(cutSite(connection, { sink, concurrency: 2 })).rejects.toMatchObject({ code: 'LB_SITE_UNREACHABLE', retriable: true });
  });

  it('may forget the revision while the cut is made: it starts again at a newer one', async () => {
    // etcd drops what is older than this; clusters wait five minutes. Without its cache the API server forgets with it. It is long enough for
    // the second attempt on a busy machine.
    await using other = await startSite({ controllers: false, apiServerArgs: ['--etcd-compaction-interval=4s', '--watch-cache=false'] });
    const many = Array.from({ length: 60 }, (_, index) => `object-${10 + index}`);
    await other.api.createMany(many.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })));
    const label = { metadata: { labels: {} as Record<string, string> } };
    const writing = setInterval(() => {
      label.metadata.labels['now'] = String(Date.now());
      other.api.patch('/api/v1/namespaces/default', label).catch(() => undefined);
    }, 100);
    const connection = await connect({ kubeconfig: other.kubeconfigPath });
    try {
      const sink = new GatheringSink();
      sink.onObject = (count) => (count === 20 ? untilForgotten(other) : undefined);
      const selection = { types: ['configmaps'], namespaces: ['default'] };
      const { summary, warnings } = await cut(connection, sink, { selection, pageSize: 5 });
      expect(sink.restarts).toBeGreaterThan(0);
      expect(warnings).toContain('cut-restarted');
      expect(summary.types).toMatchObject([{ fidelity: 'exact', count: many.length }]);
      expect(sink.names('configmaps')).toEqual(many);
    } finally {
      clearInterval(writing);
    }
  });
});

describe('a network', () => {
  let proxy: FaultProxy;
  let connection: SiteConnection;
  beforeEach(async () => {
    proxy = await proxyBefore(site);
    connection = await connectHasty(await site.kubeconfigVia(proxy.url));
  });
  afterEach(async () => {
    await proxy.close();
  });

  const isPage = ({ url }: SeenRequest): boolean => /configmaps\?|things\?/.test(url);
  const status = (code: number, reason: string): string =>
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `injected ${reason}`, reason, code });
  const expired: FaultAction = { do: 'answer', status: 410, body: status(410, 'Expired') };

  it.each<[string, FaultAction]>([
    ['asks to slow down', { do: 'answer', status: 429, headers: { 'retry-after': '1' }, body: status(429, 'TooManyRequests') }],
    ['fails', { do: 'answer', status: 500, body: status(500, 'InternalError') }],
    ['is overloaded', { do: 'answer', status: 504, body: status(504, 'Timeout') }],
    ['is replaced behind its load balancer', { do: 'answer', status: 503, body: '<html>no upstream</html>' }],
    ['resets connections', { do: 'refuse' }],
    ['loses answers', { do: 'lose-answer' }],
    ['never answers', { do: 'hang' }],
    ['breaks off in the head of a list', { do: 'harm-answer', body: { cutAfter: 30 } }],
    ['breaks off between objects', { do: 'harm-answer', body: { cutAfter: 9_000 } }],
    ['stalls in the middle of a list', { do: 'harm-answer', body: { hangAfter: 17_000 } }],
    ['forgets the revision once by mistake', expired],
  ])('that %s does not change what is cut', async (_, action) => {
    for (const after of [0, 4, 9]) proxy.inject({ when: isPage, after, action });
    const result = await cut(connection);
    expectWhole(result);
    expect(result.sink.restarts).toBe(0);
  });

  it('may do all of this in one cut', async () => {
    const actions: FaultAction[] = [
      { do: 'harm-answer', body: { cutAfter: 20_000 } },
      { do: 'harm-answer', body: { cutAfter: 3_000 } },
      { do: 'answer', status: 429, body: status(429, 'TooManyRequests') },
      { do: 'refuse' },
      { do: 'answer', status: 500, body: status(500, 'InternalError') },
      { do: 'lose-answer' },
    ];
    for (const [index, action] of actions.entries()) proxy.inject({ when: isPage, after: 2 + 3 * index, action });
    expectWhole(await cut(connection));
  });

  it('that lost the revision makes the cut start again, with nothing left of the first one', async () => {
    proxy.inject({ when: ({ url }) => url.includes('/configmaps?') && url.includes('continue='), after: 3, times: 2, action: expired });
    proxy.inject({ when: ({ url }) => url.includes('/namespaces?') && url.includes('Exact') && url.includes('limit=1&'), action: expired });
    const result = await cut(connection);
    expectWhole(result);
    expect(result.sink.restarts).toBe(1);
    expect(result.warnings).toEqual(['cut-restarted']);
  });

  it('that always loses the revision ends the cut after a few attempts', async () => {
    proxy.inject({ when: ({ url }) => url.includes('Exact'), times: 1_000, action: expired });
    const sink = new GatheringSink();
    await expect(cut(connection, sink)).rejects.toMatchObject({ code: 'LB_CUT_EXPIRED', retriable: true });
    expect(sink.restarts).toBe(5);
  });

  it('that keeps one type from being read at the revision gets it as it is now, and that is said', async () => {
    proxy.inject({ when: ({ url }) => url.includes('/things?') && url.includes('Exact'), times: 1_000, action: expired });
    const { sink, summary, warnings } = await cut(connection);
    const inconsistent = { fidelity: 'inconsistent', count: OBJECTS, reason: expect.any(String) as string };
    expect(summary.types).toMatchObject([{ fidelity: 'exact' }, inconsistent]);
    expect(sink.names('things.many.example')).toEqual(names);
    expect(warnings).toEqual(['type-inconsistent']);
  });

  it('that keeps one type from being read at all leaves it out, and that is said', async () => {
    const failing: FaultAction = { do: 'answer', status: 500, body: status(500, 'InternalError') };
    proxy.inject({ when: ({ url }) => url.includes('/things?'), times: 1_000, action: failing });
    const { sink, summary, warnings } = await cut(connection);
    const missing = { fidelity: 'missing', count: 0, reason: expect.stringMatching(/injected/) as string };
    expect(summary.types).toMatchObject([{ fidelity: 'exact' }, missing]);
    expect(sink.objects.has('things.many.example')).toBe(false);
    expect(warnings).toEqual(['type-not-cut']);
  });
});
