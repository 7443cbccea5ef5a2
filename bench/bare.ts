/** The floors that lifeboat is measured against: the same requests by the same client, with nothing done about the answers. */
import { adapt } from '../src/adapt/adapt.ts';
import { parseObject } from '../src/adapt/json.ts';
import { preparePlan } from '../src/pipeline/restore/build-plan.ts';
import { targetType } from '../src/pipeline/restore/run.ts';
import { createObject } from '../src/site/apply.ts';
import type { SiteConnection } from '../src/site/connect.ts';
import { isRefusal } from '../src/site/errors.ts';
import type { ResourceType, StateSource } from '../src/site/types.ts';
import { collectionPath } from '../src/site/url.ts';

const IN_FLIGHT = 32;

/** As a backup does. */
const AT_ONCE = 8;
const PAGE = 500;

/** Lists these types at one new revision, types in parallel, and throws the bytes away as they come. Gives their number. */
export async function bareListing(connection: SiteConnection, types: readonly ResourceType[]): Promise<number> {
  const newest = await connection.request({ path: '/api/v1/namespaces?limit=1', doing: 'list namespaces' });
  const revision = /"resourceVersion":"(\d+)"/.exec(newest.body.toString('utf8'))?.[1] ?? '';
  const queue = types[Symbol.iterator]();
  let bytes = 0;
  const work = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) bytes += await discardType(connection, next.value, revision);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return bytes;
}

async function discardType(connection: SiteConnection, type: ResourceType, revision: string): Promise<number> {
  let bytes = 0;
  let query = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
  while (query !== '') {
    const { body } = await connection.stream({ path: `${collectionPath(type)}?limit=${PAGE}&${query}`, doing: `list ${type.resource}` });
    // The token stands before the objects of built-in types, and after those of custom ones.
    let head = '';
    let tail = '';
    for await (const chunk of body) {
      bytes += chunk.length;
      const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      if (head === '') head = text.toString('latin1', 0, 1000);
      tail = text.toString('latin1', Math.max(0, text.length - 1000));
    }
    const token = /"continue":"([^"]+)"/.exec(head)?.[1] ?? /"continue":"([^"]+)"/.exec(tail)?.[1];
    query = token === undefined ? '' : `continue=${encodeURIComponent(token)}`;
  }
  return bytes;
}

/** A request that creates one object, ready to be sent. */
export interface BareCreate {
  readonly wave: number;
  readonly send: (target: SiteConnection) => Promise<unknown>;
}

/** The creates that a restore of this source into this empty target comes down to, bodies and all. */
export async function bareCreates(source: StateSource, target: SiteConnection): Promise<BareCreate[]> {
  const { plan, facts } = await preparePlan({ source, target });
  const creates: BareCreate[] = [];
  for (const [place, planType] of plan.types.entries()) {
    const type = targetType(planType);
    const wanted = new Map(plan.entries.filter((entry) => entry.type === place && (entry.action === 'create' || entry.action === 'change')).map((entry) => [`${entry.namespace}/${entry.name}`, entry.wave]));
    if (wanted.size === 0) continue;
    for await (const raw of source.objects(planType)) {
      const adapted = adapt(parseObject(raw), planType, facts);
      if (!adapted.kept) continue;
      const { name, namespace = '' } = adapted.object['metadata'] as { name: string; namespace?: string };
      const wave = wanted.get(`${namespace}/${name}`);
      if (wave === undefined) continue;
      const body = Buffer.from(JSON.stringify(adapted.object));
      creates.push({ wave, send: (connection) => createObject(connection, type, namespace, body) });
    }
  }
  return creates.toSorted((a, b) => a.wave - b.wave);
}

/** Sends them, wave by wave, as many at once as a restore does. Gives the seconds it took. */
export async function sendAll(creates: readonly BareCreate[], target: SiteConnection): Promise<number> {
  const began = performance.now();
  for (const wave of new Set(creates.map((create) => create.wave))) {
    const queue = creates.filter((create) => create.wave === wave)[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) await patiently(() => next.value.send(target));
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  }
  return (performance.now() - began) / 1000;
}

/** Definitions take a moment to be served. */
async function patiently(send: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await send();
      return;
    } catch (error) {
      if (!isRefusal(error) || attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
