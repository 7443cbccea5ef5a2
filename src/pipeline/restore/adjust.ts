import { objectAt, objectsAt, removeAt } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import type { Refusal } from '../../site/errors.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';

/** Sources: kubernetes/pkg/registry/core/service/portallocator and ipallocator, storage and alloc. */
const PORT_TAKEN = /provided port is already allocated|not in the valid range/i;
const FAMILY_UNKNOWN = /not configured|does not support/i;

/**
 * Changes an object that the target refused, where the refusal says that it cannot give what was asked for but would
 * give something else: node ports that are taken, address families it does not have. Returns what to tell people,
 * or `undefined` if there is nothing to change. Changes `object`.
 */
export function adjust(object: JsonObject, type: ResourceType, refusal: Refusal): string | undefined {
  if (typeName(type) !== 'services' || (refusal.status !== 422 && refusal.status !== 500)) return undefined;
  const causes = refusal.causes.length > 0 ? refusal.causes : [{ field: '', message: refusal.message, reason: '' }];
  for (const { field, message } of causes) {
    const text = `${message} ${refusal.message}`;
    if (PORT_TAKEN.test(text)) {
      const ports = dropRefusedPorts(object, field);
      if (ports.length > 0) return `node port ${ports.join(', ')} cannot be had in the target: it chooses another`;
    }
    if (field.startsWith('spec.ipFamil') && FAMILY_UNKNOWN.test(text)) {
      const dropped = [removeAt(object, 'spec', 'ipFamilies'), removeAt(object, 'spec', 'ipFamilyPolicy')];
      if (dropped.includes(true)) return 'the target does not have the address families it asked for, and uses its own';
    }
  }
  return undefined;
}

/** Takes out the port that `field` names (`spec.ports[1].nodePort`), or all of them if it names none. */
function dropRefusedPorts(service: JsonObject, field: string): string[] {
  const index = /^spec\.ports\[(\d+)\]/.exec(field)?.[1];
  const ports = objectsAt(service, 'spec', 'ports');
  const dropped: string[] = [];
  const drop = (holder: JsonObject | undefined, key: string): void => {
    const port = holder?.[key];
    if (holder === undefined || typeof port !== 'number') return;
    dropped.push(String(port));
    removeAt(holder, key);
  };
  if (index === undefined && field.includes('healthCheckNodePort')) drop(objectAt(service, 'spec'), 'healthCheckNodePort');
  else for (const port of index === undefined ? ports : ports.slice(Number(index), Number(index) + 1)) drop(port, 'nodePort');
  return dropped;
}
