import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import { typeName } from '../../src/site/types.ts';
import type { CutSummary } from '../../src/site/types.ts';
import { startHttpServer } from '../testbed/http-server.ts';
import type { HttpServer } from '../testbed/http-server.ts';
import { findComponents } from '../testbed/kubernetes/components.ts';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { GatheringSink } from './gather.ts';

let etcd: HttpServer;
let site: Site;
let connection: SiteConnection;
beforeAll(async () => {
  etcd = await startEtcd();
  site = await startSite({ controllers: false, apiServerArgs: [`--etcd-servers-overrides=/events#${etcd.url}`] });
  connection = await connectSite({ name: 'test', kubeconfig: site.kubeconfigPath });
});
afterAll(async () => {
  await connection.close();
  await site.stop();
  await etcd.stop();
});

async function startEtcd(): Promise<HttpServer> {
  const { paths } = await findComponents(['etcd']);
  return startHttpServer({
    product: 'etcd',
    label: 'events-etcd',
    ports: 2,
    program: (folder, [client = 0, peer = 0]) => {
      const url = `http://127.0.0.1:${client}`;
      const peerUrl = `http://127.0.0.1:${peer}`;
      const args = [
        '--name=etcd',
        `--data-dir=${folder}/data`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=etcd=${peerUrl}`,
        '--unsafe-no-fsync',
        '--log-level=warn',
      ];
      return Promise.resolve({ name: 'etcd', command: paths.get('etcd') ?? '', args });
    },
    tryOut: async (url) => {
      const { status } = await fetch(`${url}/health`);
      if (status !== 200) throw new Error(`it answers with ${status}`);
    },
  });
}

const event = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name, namespace: 'default' },
  involvedObject: { kind: 'Namespace', namespace: 'default', name: 'default' },
  reason: 'Test',
  message: name,
  type: 'Normal',
});

async function cut(): Promise<{ sink: GatheringSink; summary: CutSummary }> {
  const sink = new GatheringSink();
  return { sink, summary: await cutSite(connection, { sink }) };
}

/** The events made here; the API server may add some of its own. */
const made = (sink: GatheringSink): string[] => sink.names('events').filter((name) => /(?:first|more)-\d+$/.test(name));

describe('events in an etcd of their own', () => {
  it('are read as they are now, and said to be so, whichever etcd is ahead', async () => {
    await site.api.createMany(Array.from({ length: 5 }, (_, index) => event(`first-${index}`)));
    const behind = await cut();
    await site.api.createMany(Array.from({ length: 1_500 }, (_, index) => event(`more-${index}`)));
    const ahead = await cut();
    for (const { summary } of [behind, ahead]) {
      expect(summary.types.filter(({ fidelity }) => fidelity !== 'exact').map(typeName)).toEqual(['events']);
      const events = summary.types.find(({ resource }) => resource === 'events');
      expect(events).toMatchObject({ fidelity: 'inconsistent', reason: expect.stringMatching(/another etcd/) as string });
    }
    expect(made(behind.sink)).toHaveLength(5);
    expect(made(ahead.sink)).toHaveLength(1_505);
  });
});
