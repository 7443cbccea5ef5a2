import { createHash } from 'node:crypto';
import { typeName } from '../../src/site/types.ts';
import type { StateSource } from '../../src/site/types.ts';

/** Types that an API server writes by itself, every few seconds or some time after it has started or was given a definition. */
const RESTLESS: ReadonlySet<string> = new Set(['leases.coordination.k8s.io', 'events', 'events.events.k8s.io', 'flowschemas.flowcontrol.apiserver.k8s.io', 'apiservices.apiregistration.k8s.io']);

/** For each type that has objects, a digest of all their bytes in order; without the types that do not rest. */
export async function digestsOf(source: StateSource): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const type of source.summary.types) {
    const name = typeName(type);
    if (type.count === 0 || RESTLESS.has(name)) continue;
    const hash = createHash('sha256');
    let count = 0;
    for await (const object of source.objects(type)) {
      hash.update(`${object.length}\n`).update(object);
      count += 1;
    }
    digests[name] = `${count} objects, ${hash.digest('hex')}`;
  }
  return digests;
}
