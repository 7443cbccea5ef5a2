import { isObject, nameOf, namespaceOf, parseObject } from '../../adapt/json.ts';
import type { JsonObject, JsonValue } from '../../adapt/json.ts';
import { namesType } from '../../pipeline/select.ts';
import type { ObjectName } from '../../pipeline/select.ts';
import type { CutType, StateSource } from '../../site/types.ts';
import { apiVersionOf } from '../../site/types.ts';

/** The types an object's name may mean. */
export function typesMeant(wanted: ObjectName, types: readonly CutType[]): readonly CutType[] {
  return types.filter((type) => type.namespaced === (wanted.namespace !== '') && namesType(wanted.kind, type));
}

/** Finds an object in a source; undefined when it is not there. */
export async function findObject(source: StateSource, wanted: ObjectName, signal: AbortSignal): Promise<JsonObject | undefined> {
  const needle = Buffer.from(JSON.stringify(wanted.name));
  for (const type of typesMeant(wanted, source.summary.types)) {
    for await (const record of source.objects(type, { signal })) {
      // Most objects are not it, and seeing that is far quicker than parsing them.
      if (!Buffer.from(record.buffer, record.byteOffset, record.byteLength).includes(needle)) continue;
      const object = parseObject(record);
      if (nameOf(object) !== wanted.name || namespaceOf(object) !== wanted.namespace) continue;
      const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
      return { apiVersion: apiVersionOf(type), kind: type.kind, ...rest };
    }
  }
  return undefined;
}

const HIDDEN = '(hidden: --reveal shows it)';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * A Secret without what is secret in it: its data, and the copy of it that `kubectl apply` leaves in an annotation.
 * Other objects are given back as they are.
 */
export function withoutSecrets(object: JsonObject): JsonObject {
  if (object['kind'] !== 'Secret' || object['apiVersion'] !== 'v1') return object;
  const hidden: JsonObject = { ...object };
  for (const field of ['data', 'stringData']) {
    const data = object[field];
    if (isObject(data)) hidden[field] = Object.fromEntries(Object.keys(data).map((key) => [key, HIDDEN]));
  }
  const { metadata } = object;
  if (isObject(metadata) && isObject(metadata['annotations']) && LAST_APPLIED in metadata['annotations']) {
    hidden['metadata'] = { ...metadata, annotations: { ...metadata['annotations'], [LAST_APPLIED]: HIDDEN } };
  }
  return hidden;
}

/** An object without the notes of who set which field: hardly ever wanted, and refused by `kubectl apply --server-side`. */
export function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object;
  if (!isObject(metadata)) return object;
  const { managedFields: _managedFields, ...rest } = metadata;
  return { ...object, metadata: rest };
}

/** For the YAML writer: numbers that JavaScript cannot hold are kept as text in parsed objects (see `parseObject`). */
export function forYaml(value: JsonValue): unknown {
  if (JSON.isRawJSON(value)) {
    const text = JSON.stringify(value);
    return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
  }
  if (Array.isArray(value)) return value.map(forYaml);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, forYaml(inner)]));
  return value;
}
