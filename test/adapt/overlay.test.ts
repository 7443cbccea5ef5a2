import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adapt } from '../../src/adapt/adapt.ts';
import { equalJson } from '../../src/adapt/canonical.ts';
import { differences } from '../../src/adapt/difference.ts';
import { NO_FACTS } from '../../src/adapt/facts.ts';
import { cloneObject, parseObject } from '../../src/adapt/json.ts';
import type { JsonObject } from '../../src/adapt/json.ts';
import { overlay } from '../../src/adapt/overlay.ts';
import { kind } from './kinds.ts';

const services = kind('services');

function portable(object: JsonObject): JsonObject {
  const result = adapt(cloneObject(object), services, NO_FACTS);
  if (!result.kept) throw new Error('dropped');
  return result.object;
}

const labels = fc.dictionary(fc.constantFrom('app', 'tier', '__proto__', 'x/y'), fc.string({ maxLength: 3 }));
const service = fc.record({
  metadata: fc.record({
    name: fc.constant('web'),
    namespace: fc.constant('shop'),
    uid: fc.string(),
    resourceVersion: fc.string(),
    labels: fc.option(labels, { nil: undefined }),
    annotations: fc.option(labels, { nil: undefined }),
  }),
  spec: fc.record({
    clusterIP: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    type: fc.constantFrom('ClusterIP', 'NodePort'),
    selector: fc.option(labels, { nil: undefined }),
    ports: fc.array(fc.record({ port: fc.nat(9), nodePort: fc.nat(9) }), { maxLength: 3 }),
  }),
  status: fc.record({ loadBalancer: fc.record({}) }),
});

describe('writing the backup over what is there', () => {
  it('gives the backup’s portable form, and leaves what rules set aside', () => {
    fc.assert(
      fc.property(service, service, (a, b) => {
        const existing = parseObject(Buffer.from(JSON.stringify({ ...a, apiVersion: 'v1', kind: 'Service' })));
        const wanted = portable(parseObject(Buffer.from(JSON.stringify(b))));
        const merged = overlay(existing, portable(existing), wanted);
        expect(differences(portable(merged), wanted)).toEqual([]);
        for (const path of [['metadata', 'uid'], ['metadata', 'resourceVersion'], ['spec', 'clusterIP']] as const) {
          expect((merged[path[0]] as JsonObject)[path[1]]).toBe((existing[path[0]] as JsonObject)[path[1]]);
        }
      }),
    );
  });

  it('keeps what a rule took out of a map, and drops what is not wanted', () => {
    const merged = overlay({ m: { made: 1, old: 2 } }, { m: { old: 2 } }, { m: { new: 3 } });
    expect(merged).toEqual({ m: { made: 1, new: 3 } });
    expect(overlay({ m: { made: 1, old: 2 } }, { m: { old: 2 } }, {})).toEqual({ m: { made: 1 } });
    expect(overlay({ m: { old: 2 } }, { m: { old: 2 } }, {})).toEqual({});
  });
});

describe('differences', () => {
  it('are none exactly where the values are equal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [x, y] = [a, b].map((value) => parseObject(Buffer.from(JSON.stringify({ value }))));
        expect(differences(x, y).length === 0).toBe(equalJson(x, y));
        expect(differences(x, x)).toEqual([]);
      }),
    );
  });

  it('say where, and what', () => {
    const a = { spec: { replicas: 1, ports: [{ port: 80 }, { port: 81 }] }, metadata: { labels: { 'app.kubernetes.io/name': 'x' } } };
    const b = { spec: { replicas: 2, ports: [{ port: 80 }] }, metadata: { labels: { 'app.kubernetes.io/name': 'y' } } };
    expect(differences(a, b)).toEqual([
      { path: 'metadata.labels[app.kubernetes.io/name]', a: 'x', b: 'y' },
      { path: 'spec.ports[1]', a: { port: 81 } },
      { path: 'spec.replicas', a: 1, b: 2 },
    ]);
  });
});
