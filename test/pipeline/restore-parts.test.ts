/** The small parts of a restore, each on its own. */
import { describe, expect, it } from 'vitest';
import { NO_FACTS } from '../../src/adapt/facts.ts';
import type { CustomType, Facts } from '../../src/adapt/facts.ts';
import { parseObject } from '../../src/adapt/json.ts';
import { forEachParallel } from '../../src/pipeline/for-each.ts';
import { readAhead } from '../../src/pipeline/read-ahead.ts';
import { adjust } from '../../src/pipeline/restore/adjust.ts';
import { AdaptiveLimit } from '../../src/pipeline/restore/limiter.ts';
import { mapType } from '../../src/pipeline/restore/map-types.ts';
import { judge, reasonOf } from '../../src/pipeline/restore/refusal.ts';
import { WAVES, waveNumber, waveOf } from '../../src/pipeline/restore/waves.ts';
import { objectFilter } from '../../src/pipeline/select.ts';
import type { Discovery } from '../../src/site/discover.ts';
import type { Refusal } from '../../src/site/errors.ts';
import type { ResourceType } from '../../src/site/types.ts';
import { kind } from '../adapt/kinds.ts';

const refusal = (status: number, message = '', causes: Refusal['causes'] = []): Refusal => ({ status, reason: 'Reason', message, causes, retryAfterMs: undefined, fromApiServer: true });

describe('the order of the waves', () => {
  const before = (a: string, b: string): void => {
    expect(waveOf(kind(a), false, false)).toBeLessThan(waveOf(kind(b), false, false));
  };

  it('is what objects need of each other', () => {
    before('customresourcedefinitions.apiextensions.k8s.io', 'namespaces');
    before('namespaces', 'serviceaccounts');
    before('priorityclasses.scheduling.k8s.io', 'pods');
    before('serviceaccounts', 'secrets');
    before('secrets', 'pods');
    before('persistentvolumes', 'pods');
    before('services', 'pods');
    before('networkpolicies.networking.k8s.io', 'pods');
    before('pods', 'resourcequotas');
    before('resourcequotas', 'deployments.apps');
    before('replicasets.apps', 'deployments.apps');
    before('deployments.apps', 'apiservices.apiregistration.k8s.io');
    before('apiservices.apiregistration.k8s.io', 'validatingwebhookconfigurations.admissionregistration.k8s.io');
  });

  it('has custom resources before workloads, and exceeded quotas after them', () => {
    const boat = waveOf(kind('boats.example.com'), true, false);
    expect(boat).toBe(waveNumber('custom resources'));
    expect(boat).toBeLessThan(waveNumber('workloads'));
    expect(waveOf(kind('resourcequotas'), false, true)).toBeGreaterThan(waveNumber('workloads'));
    expect(waveOf(kind('ingresses.networking.k8s.io'), false, false)).toBe(waveNumber('other'));
    expect(WAVES[waveOf(kind('mutatingwebhookconfigurations.admissionregistration.k8s.io'), false, false)]).toBe(WAVES.at(-1));
  });
});

describe('a refusal', () => {
  it.each([
    ['passing', 403, 'pods "x" is forbidden: exceeded quota: q, requested: pods=1'],
    ['passing', 403, 'pods "x" is forbidden: error looking up service account a/default: serviceaccount "default" not found'],
    ['passing', 403, 'pods "x" is forbidden: no PriorityClass with name high was found'],
    ['passing', 403, 'configmaps "x" is forbidden: unable to create new content in namespace a because it is being terminated'],
    ['passing', 404, 'namespaces "a" not found'],
    ['passing', 409, 'Operation cannot be fulfilled on resourcequotas "q"'],
    ['passing', 500, 'failed calling webhook'],
    ['passing', 503, ''],
    ['doubtful', 403, 'configmaps is forbidden: User "x" cannot create resource "configmaps"'],
    ['doubtful', 403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'],
    ['doubtful', 401, 'Unauthorized'],
    ['final', 422, 'is invalid'],
    ['final', 400, 'admission webhook "x" denied the request'],
  ] as const)('is %s: %i %s', (verdict, status, message) => {
    expect(judge(refusal(status, message))).toBe(verdict);
  });

  it('is told in the server’s words, but never with what is in a Secret', () => {
    const causes = [{ field: 'data[.dockerconfigjson]', reason: 'FieldValueInvalid', message: 'Invalid value: "hunter2"' }];
    expect(reasonOf(kind('configmaps'), refusal(422, 'it is wrong'))).toBe('422 Reason: it is wrong');
    expect(reasonOf(kind('secrets'), refusal(422, 'Invalid value: "hunter2"', causes))).toBe('422 Reason: data[.dockerconfigjson] (FieldValueInvalid)');
    expect(reasonOf(kind('secrets'), refusal(400, 'cannot decode "hunter2"'))).toBe('400 Reason');
    expect(reasonOf(kind('configmaps'), refusal(422, 'x'.repeat(10_000))).length).toBeLessThan(600);
  });
});

describe('single objects and a selection', () => {
  it('are not taken together, because one of them would be ignored', () => {
    const objects = ['Secret/shop/db'];
    expect(() => objectFilter({ selection: { namespaces: ['shop'] }, objects })).toThrow(expect.objectContaining({ code: 'LB_USAGE' }));
    expect(objectFilter({ selection: { namespaces: [] }, objects }).restricts).toBe(true);
  });
});

describe('what a target cannot give', () => {
  const service = (): ReturnType<typeof parseObject> => parseObject(Buffer.from(JSON.stringify({ spec: { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack', healthCheckNodePort: 30500, ports: [{ nodePort: 30100 }, { nodePort: 30200 }] } })));
  const taken = 'Invalid value: 30200: provided port is already allocated';

  it('is asked for no more: the one node port, or the address families', () => {
    const ports = service();
    expect(adjust(ports, kind('services'), refusal(422, '', [{ field: 'spec.ports[1].nodePort', reason: '', message: taken }]))).toContain('30200');
    expect(ports).toMatchObject({ spec: { ports: [{ nodePort: 30100 }, {}], healthCheckNodePort: 30500 } });
    expect(adjust(ports, kind('services'), refusal(422, '', [{ field: 'spec.healthCheckNodePort', reason: '', message: taken }]))).toContain('30500');
    expect(adjust(ports, kind('services'), refusal(422, '', [{ field: 'spec.ipFamilies[0]', reason: '', message: 'Invalid value: "IPv6": not configured on this cluster' }]))).toContain('address families');
    expect(ports).toEqual(parseObject(Buffer.from('{"spec":{"ports":[{"nodePort":30100},{}]}}')));
  });

  it('is left alone when something else is wrong', () => {
    expect(adjust(service(), kind('services'), refusal(422, 'spec.selector is wrong', [{ field: 'spec.selector', reason: '', message: 'wrong' }]))).toBeUndefined();
    expect(adjust(service(), kind('configmaps'), refusal(422, taken))).toBeUndefined();
    expect(adjust(parseObject(Buffer.from('{"spec":{}}')), kind('services'), refusal(422, taken))).toBeUndefined();
  });
});

describe('the number of requests at once', () => {
  it('halves when the server asks to slow down, waits as long as it says, and grows again', async () => {
    let now = 0;
    const slept: number[] = [];
    const clock = {
      now: () => now,
      sleep: (ms: number) => {
        slept.push(ms);
        now += ms;
        return Promise.resolve();
      },
    };
    const limit = new AdaptiveLimit(8, clock);
    limit.throttled(2_000);
    // Others that were under way are refused at the same moment.
    limit.throttled(2_000);
    expect(limit.limit).toBe(4);
    await limit.enter();
    expect(slept).toEqual([2_000]);
    limit.leave();
    for (let n = 0; n < 4; n += 1) limit.succeeded();
    expect(limit.limit).toBe(5);
    limit.throttled(undefined);
    expect(limit.limit).toBe(2);
    for (let n = 0; n < 1_000; n += 1) limit.succeeded();
    expect(limit.limit).toBe(8);
  });

  it('is kept', async () => {
    const limit = new AdaptiveLimit(3);
    let running = 0;
    let most = 0;
    await forEachParallel(Array.from({ length: 50 }), 20, async () => {
      await limit.enter();
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      limit.leave();
    });
    expect(most).toBe(3);
  });
});

describe('working in parallel', () => {
  it('begins nothing more after a failure, and throws it when all is still', async () => {
    const begun: number[] = [];
    const failing = forEachParallel(Array.from({ length: 100 }, (_, n) => n), 4, async (n) => {
      begun.push(n);
      await new Promise((resolve) => setImmediate(resolve));
      if (n === 5) throw new Error('five');
    });
    await expect(failing).rejects.toThrow('five');
    expect(begun.length).toBeLessThan(20);
  });
});

describe('reading ahead', () => {
  let read = 0;
  let closed = false;
  async function* numbers(count: number): AsyncGenerator<number> {
    try {
      for (read = 0; read < count; read += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        yield read;
      }
      throw new Error('the end');
    } finally {
      closed = true;
    }
  }

  it('keeps the order, and throws what the source throws in its place', async () => {
    const seen: number[] = [];
    const reading = (async () => {
      for await (const number of readAhead(numbers(20), 5)) seen.push(number);
    })();
    await expect(reading).rejects.toThrow('the end');
    expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('is some items ahead and no further, and closes the source when it is left', async () => {
    closed = false;
    const ahead: number[] = [];
    for await (const number of readAhead(numbers(1_000), 5)) {
      // Each turn it could read one more.
      for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      ahead.push(read - number);
      if (ahead.length === 4) break;
    }
    expect(closed).toBe(true);
    expect(Math.min(...ahead)).toBeGreaterThan(2);
    expect(Math.max(...ahead)).toBeLessThan(8);
  });
});

describe('types in the target', () => {
  const served = (name: string, versions: readonly string[], verbs: readonly string[] = ['list', 'create']): Discovery['types'][number] => ({ ...kind(name, versions[0]), versions, verbs });
  const target = (...types: Discovery['types']): Discovery => ({ types, unavailable: [{ group: 'away.example', version: 'v1', reason: 'x' }] });
  const defined = (conversion: CustomType['conversion'], versions: readonly string[]): Facts => ({
    ...NO_FACTS,
    customTypes: new Map([['boats.example.com', { name: 'boats.example.com', kind: 'Boat', namespaced: true, served: versions, storage: versions[0] ?? '', statusVersions: [], conversion }]]),
  });

  it('are used in the version that was read, or in one with the same fields', () => {
    expect(mapType(kind('deployments.apps'), target(served('deployments.apps', ['v2', 'v1'])), NO_FACTS)).toEqual({ kind: 'served', version: 'v1' });
    expect(mapType(kind('cronjobs.batch', 'v1beta1'), target(served('cronjobs.batch', ['v1'])), NO_FACTS)).toEqual({ kind: 'served', version: 'v1' });
    expect(mapType(kind('boats.example.com', 'v1'), target(served('boats.example.com', ['v2'])), defined('None', ['v1', 'v2']))).toEqual({ kind: 'served', version: 'v2' });
  });

  it('come with their definition', () => {
    expect(mapType(kind('boats.example.com', 'v1'), target(), defined('None', ['v1']))).toEqual({ kind: 'defined', version: 'v1' });
  });

  it('are not used where fields may mean something else, or nothing can be created', () => {
    const unsupported = (type: ResourceType, discovery: Discovery, facts: Facts): string => {
      const mapping = mapType(type, discovery, facts);
      return mapping.kind === 'unsupported' ? mapping.reason : mapping.kind;
    };
    expect(unsupported(kind('boats.example.com', 'v1'), target(served('boats.example.com', ['v2'])), defined('Webhook', ['v1', 'v2']))).toContain('read in version v1; the target serves v2');
    expect(unsupported(kind('deployments.apps', 'v1beta1'), target(served('deployments.apps', ['v1'])), NO_FACTS)).toContain('v1beta1');
    expect(unsupported(kind('boats.example.com'), target(), NO_FACTS)).toBe('the target does not serve this type');
    expect(unsupported({ ...kind('configmaps'), group: 'away.example' }, target(), NO_FACTS)).toContain('does not answer');
    expect(unsupported(kind('componentstatuses'), target(served('componentstatuses', ['v1'], ['list'])), NO_FACTS)).toContain('does not let anyone create');
  });
});
