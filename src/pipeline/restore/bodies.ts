import { adapt } from '../../adapt/adapt.ts';
import { keyOf, objectKey, parseObject } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { renameNamespaces } from '../../adapt/rename.ts';
import { peekIdentity } from '../../site/peek.ts';
import { apiVersionOf } from '../../site/types.ts';
import type { RestoreRun } from './run.ts';
import { targetType } from './run.ts';

/** One object as it is to be in the target, without owner references. */
export interface Body {
  /** Its place in the plan. */
  readonly place: number;
  readonly object: JsonObject;
}

/**
 * Reads the objects of some entries of one type from the source again, in their order there, each in the form it is to
 * have in the target. Only the one that is asked for is in memory.
 */
export async function* bodiesOf(run: RestoreRun, type: number, places: Iterable<number>): AsyncGenerator<Body> {
  const planType = run.plan.types[type];
  if (planType === undefined) return;
  const wanted = new Map<string, number>();
  for (const place of places) {
    const entry = run.entry(place);
    if (entry.because === 'made-up') {
      yield { place, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: entry.name } } };
    } else {
      wanted.set(planType.namespaced ? objectKey(entry.from ?? entry.namespace, entry.name) : (entry.from ?? entry.name), place);
    }
  }
  if (wanted.size === 0) return;
  const cut = run.source.summary.types.find(({ group, resource }) => group === planType.group && resource === planType.resource);
  const few = cut !== undefined && wanted.size < cut.count;
  const apiVersion = apiVersionOf(targetType(planType));
  for await (const bytes of run.source.objects(planType, { signal: run.signal })) {
    // Reading the name alone is cheaper than parsing what is not wanted.
    if (few && !wanted.has(peekKey(bytes))) continue;
    const object = parseObject(bytes);
    const place = wanted.get(keyOf(object));
    if (place === undefined) continue;
    const adapted = adapt(object, planType, run.facts);
    if (!adapted.kept) continue;
    renameNamespaces(adapted.object, planType, run.rename);
    adapted.object['apiVersion'] = apiVersion;
    yield { place, object: adapted.object };
  }
}

function peekKey(bytes: Uint8Array): string {
  const { namespace, name } = peekIdentity(bytes);
  return objectKey(namespace, name);
}
