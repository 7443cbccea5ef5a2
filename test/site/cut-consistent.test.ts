import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { customType } from './custom-type.ts';
import { GatheringSink } from './gather.ts';

const GROUP = 'ledger.example';
const NAMESPACE = 'ledger';
/** Accounts the writer keeps; each is a ConfigMap, a Secret and a custom resource. */
const ACCOUNTS = 12;
const CUTS = 15;

let site: Site;
let connection: SiteConnection;
beforeAll(async () => {
  site = await startSite({ controllers: false });
  connection = await connectSite({ name: 'test', kubeconfig: site.kubeconfigPath });
  await site.api.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    customType(GROUP, 'entries', [{ name: 'v1', served: true, storage: true }]),
  ]);
  await site.api.createMany(Array.from({ length: ACCOUNTS }, (_, index) => account(index, 0)).flat());
});
afterAll(async () => {
  await connection.close();
  await site.stop();
});

function account(index: number, value: number): readonly [Manifest, Manifest, Manifest] {
  const metadata = { name: `account-${index}`, namespace: NAMESPACE };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: String(value) } },
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { value: String(value) } },
    { apiVersion: `${GROUP}/v1`, kind: 'Entrie', metadata, spec: { value: String(value) } },
  ];
}

const PATHS = [
  `/api/v1/namespaces/${NAMESPACE}/configmaps`,
  `/api/v1/namespaces/${NAMESPACE}/secrets`,
  `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/entries`,
];

/** Raises the values for ever: of each account first the ConfigMap's, then the Secret's, then the custom resource's. */
async function write(signal: AbortSignal): Promise<number> {
  for (let value = 1; ; value += 1) {
    for (let index = 0; index < ACCOUNTS; index += 1) {
      for (const [part, object] of account(index, value).entries()) {
        if (signal.aborted) return value;
        await site.api.patch(`${PATHS[part]}/account-${index}`, object);
      }
    }
  }
}

/** What an object's value is; how it is written differs by kind. */
function valueOf(object: Record<string, unknown>): number {
  const { kind, data, spec } = object as { kind?: string; data?: { value: string }; spec?: { value: string } };
  if (spec !== undefined) return Number(spec.value);
  const text = data?.value ?? '';
  return Number(kind === 'Secret' || !/^\d+$/.test(text) || 'type' in object ? Buffer.from(text, 'base64').toString() : text);
}

type Values = readonly (readonly number[])[];

/** At any one moment an account's three values go down by at most one in all, and never up. */
function broken([configMaps = [], secrets = [], entries = []]: Values): string[] {
  return configMaps.flatMap((first, index) => {
    const [second = Number.NaN, third = Number.NaN] = [secrets[index], entries[index]];
    return first >= second && second >= third && third >= first - 1 ? [] : [`account ${index}: ${first}, ${second}, ${third}`];
  });
}

describe('a site that is written to', () => {
  it('is cut as it was at one moment, where a plain list shows what never was', { timeout: 180_000 }, async () => {
    const stop = new AbortController();
    const writing = write(stop.signal);
    try {
      for (let round = 0; round < CUTS; round += 1) {
        const sink = new GatheringSink();
        // Small pages and a sink that takes its time: a cut lasts many writes.
        sink.onObject = () => new Promise((resolve) => setTimeout(resolve, 1));
        const summary = await cutSite(connection, { sink, pageSize: 3, selection: { namespaces: [NAMESPACE] } });
        expect(summary.types.filter(({ fidelity }) => fidelity !== 'exact')).toEqual([]);
        const values = ['configmaps', 'secrets', `entries.${GROUP}`].map((type) =>
          (sink.objects.get(type) ?? [])
            .toSorted((a, b) => Number(a.metadata.name.split('-')[1]) - Number(b.metadata.name.split('-')[1]))
            .map((object) => valueOf({ ...object })),
        );
        expect(values.map((list) => list.length)).toEqual([ACCOUNTS, ACCOUNTS, ACCOUNTS]);
        expect(broken(values), `cut at revision ${summary.revision}`).toEqual([]);
      }

      let seen: string[] = [];
      for (let round = 0; round < 200 && seen.length === 0; round += 1) {
        const lists = [];
        for (const path of PATHS) lists.push(await site.api.list(path));
        seen = broken(
          lists.map((list) =>
            list.toSorted((a, b) => Number(a.metadata.name?.split('-')[1]) - Number(b.metadata.name?.split('-')[1])).map((object) => valueOf(object)),
          ),
        );
      }
      expect(seen).not.toEqual([]);
    } finally {
      stop.abort();
      expect(await writing).toBeGreaterThan(3);
    }
  });
});
