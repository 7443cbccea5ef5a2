import { LifeboatError } from '../../core/errors.ts';
import type { CutType, StateSource } from '../../site/types.ts';
import { apiVersionOf, typeName } from '../../site/types.ts';

/** A JSON object as the API server sent it. */
export type KubernetesObject = Readonly<Record<string, unknown>>;

export interface ObjectName {
  readonly namespace: string | undefined;
  readonly name: string;
}

/** One object as named on the command line. */
export interface ObjectReference extends ObjectName {
  /** Kind or type, as given. */
  readonly type: string;
}

/** Reads `Kind/namespace/name` or `Kind/name`. Throws `LB_USAGE`. */
export function parseObjectReference(text: string): ObjectReference {
  const parts = text.split('/');
  const [type = '', second = '', third] = parts;
  if (parts.length < 2 || parts.length > 3 || parts.includes('')) {
    throw new LifeboatError('LB_USAGE', `\`${text}\` does not name an object`, {
      hint: 'Write Kind/namespace/name (Deployment/shop/web), or Kind/name for what has no namespace.',
    });
  }
  return third === undefined ? { type, namespace: undefined, name: second } : { type, namespace: second, name: third };
}

/** The types a reference may mean: by Kind, by resource, or by `resource.group`, in any letter case. */
export function typesMeant(reference: ObjectReference, types: readonly CutType[]): readonly CutType[] {
  const wanted = reference.type.toLowerCase();
  return types.filter(
    (type) =>
      type.namespaced === (reference.namespace !== undefined) &&
      [type.kind, type.resource, typeName(type), type.group === '' ? '' : `${type.kind}.${type.group}`].some((name) => name.toLowerCase() === wanted),
  );
}

/** Finds an object in a source; undefined when it is not there. */
export async function findObject(source: StateSource, reference: ObjectReference, signal: AbortSignal): Promise<KubernetesObject | undefined> {
  const types = typesMeant(reference, source.summary.types);
  const needle = Buffer.from(JSON.stringify(reference.name));
  for (const type of types) {
    for await (const record of source.objects(type, { signal })) {
      // Most objects are not it, and seeing that is far quicker than parsing them.
      if (!Buffer.from(record.buffer, record.byteOffset, record.byteLength).includes(needle)) continue;
      const object = parseObject(record);
      const { namespace, name } = nameOf(object);
      if (name !== reference.name || namespace !== reference.namespace) continue;
      const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
      return { apiVersion: apiVersionOf(type), kind: type.kind, ...rest };
    }
  }
  return undefined;
}

export function parseObject(record: Uint8Array): KubernetesObject {
  return JSON.parse(Buffer.from(record).toString('utf8')) as KubernetesObject;
}

export function nameOf(object: KubernetesObject): ObjectName {
  const metadata = object['metadata'] as { readonly name?: string; readonly namespace?: string } | undefined;
  return { namespace: metadata?.namespace, name: metadata?.name ?? '' };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * A Secret without what is secret in it: its data, and the copy of it that `kubectl apply` leaves in an annotation.
 * Other objects are given back as they are.
 */
export function withoutSecrets(object: KubernetesObject): KubernetesObject {
  if (object['kind'] !== 'Secret' || object['apiVersion'] !== 'v1') return object;
  const hidden: Record<string, unknown> = { ...object };
  for (const field of ['data', 'stringData']) {
    const data = object[field];
    if (typeof data === 'object' && data !== null) hidden[field] = mapValues(data, () => '(hidden: --reveal shows it)');
  }
  const metadata = object['metadata'] as { readonly annotations?: Readonly<Record<string, unknown>> } | undefined;
  if (metadata?.annotations?.[LAST_APPLIED] !== undefined) {
    hidden['metadata'] = { ...metadata, annotations: { ...metadata.annotations, [LAST_APPLIED]: '(hidden: --reveal shows it)' } };
  }
  return hidden;
}

function mapValues(record: object, value: () => string): Record<string, string> {
  return Object.fromEntries(Object.keys(record).map((key) => [key, value()]));
}
