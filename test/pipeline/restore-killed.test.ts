import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { configMap, namespace, object, openPlace } from './scene.ts';
import type { Place } from './scene.ts';

const CHILD = fileURLToPath(new URL('restore.child.ts', import.meta.url));
const ROUNDS = 2;
const KILLS_PER_ROUND = 5;

const reportSchema = z.object({
  ok: z.boolean(),
  objects: z.record(z.string(), z.number()),
  failures: z.array(z.unknown()),
  verify: z.object({ checked: z.number(), equal: z.number(), details: z.array(z.unknown()) }),
});
type Report = z.infer<typeof reportSchema>;

describe('a restore that is killed', () => {
  let from: Place;
  let to: Place;
  let objects: readonly Manifest[] = [];

  beforeAll(async () => {
    [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: false })]);
    objects = contents();
    await from.site.api.apply([namespace('shop'), object('v1', 'ServiceAccount', 'shop', 'default')]);
    await from.site.api.createMany(objects);
    // Children come before their owners by name: they are created first, and linked afterwards.
    const owner = await from.find(configMap('shop', 'z-owner'));
    for (let n = 0; n < 20; n += 1) {
      await from.site.api.create(configMap('shop', `child-${n}`, { n: String(n) }, { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'z-owner', uid: owner?.metadata.uid }] }));
    }
  });
  afterAll(async () => {
    await Promise.all([from, to].map((place) => place[Symbol.asyncDispose]()));
  });

  it('goes on when it is started again, and ends like one that was not killed', async () => {
    const total = objects.length + 22;
    const whole = await run(from, to, 'whole', Infinity);
    expect(whole).toMatchObject({ ok: true, objects: { created: total, unchanged: 0 }, verify: { checked: total, equal: total, details: [] } });
    let kills = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const target = `round-${round}`;
      for (let kill = 0; kill < KILLS_PER_ROUND; kill += 1) {
        const ended = await run(from, to, target, randomInt(1, 2 + Math.floor((total * (kill + 1)) / KILLS_PER_ROUND)));
        kills += ended === undefined ? 1 : 0;
      }
      const last = await run(from, to, target, Infinity);
      expect(last).toMatchObject({ ok: true, objects: { kept: 0, failed: 0, updated: 0 }, failures: [], verify: { checked: total, equal: total, details: [] } });
      expect((last?.objects['created'] ?? 0) + (last?.objects['unchanged'] ?? 0)).toBe(total);
    }
    expect(kills).toBeGreaterThan((ROUNDS * KILLS_PER_ROUND) / 2);
  });
});

/** Runs a restore that is killed when it has done `until` objects; its report if it ended before. */
async function run(from: Place, to: Place, renamed: string, until: number): Promise<Report | undefined> {
  const args = ['--disable-warning=ExperimentalWarning', CHILD, from.site.kubeconfigPath, to.site.kubeconfigPath, 'shop', renamed, String(until)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(child.stdout);
  return said === '' ? undefined : reportSchema.parse(JSON.parse(said));
}

function contents(): Manifest[] {
  const many = (count: number, make: (n: number) => Manifest): Manifest[] => Array.from({ length: count }, (_, n) => make(n));
  return [
    configMap('shop', 'z-owner'),
    ...many(60, (n) => configMap('shop', `settings-${n}`, { text: 'x'.repeat(n * 10) })),
    ...many(20, (n) => object('v1', 'Secret', 'shop', `secret-${n}`, { stringData: { n: String(n) } })),
    ...many(10, (n) => object('v1', 'Service', 'shop', `service-${n}`, { spec: { selector: { n: String(n) }, ports: [{ port: 80 }] } })),
    ...many(10, (n) => object('v1', 'ServiceAccount', 'shop', `account-${n}`)),
    ...many(10, (n) =>
      object('apps/v1', 'Deployment', 'shop', `deployment-${n}`, {
        spec: { replicas: 0, selector: { matchLabels: { n: String(n) } }, template: { metadata: { labels: { n: String(n) } }, spec: { containers: [{ name: 'c', image: 'x' }] } } },
      }),
    ),
  ];
}
