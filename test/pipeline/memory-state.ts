import type { ResourceType, Selection, StateSource } from '../../src/site/types.ts';
import { typeName } from '../../src/site/types.ts';
import { kind } from '../adapt/kinds.ts';

/** A state that is written down: objects by type (`deployments.apps`). UIDs are `TYPE/NAMESPACE/NAME` unless given. */
export function memoryState(
  objects: Readonly<Record<string, readonly object[]>>,
  options: { readonly label?: string; readonly selection?: Selection; readonly missing?: Readonly<Record<string, string>>; readonly versions?: Readonly<Record<string, string>> } = {},
): StateSource {
  const types = [...Object.keys(objects), ...Object.keys(options.missing ?? {})].map((name) => kind(name, options.versions?.[name]));
  const raw = new Map(Object.entries(objects).map(([name, all]) => [name, all.map((one) => Buffer.from(JSON.stringify(one)))]));
  return {
    label: options.label ?? 'memory',
    summary: {
      revision: '1',
      at: '2026-01-02T03:04:05.000Z',
      kubernetesVersion: 'v1.36.0',
      clusterUid: 'c',
      selection: options.selection ?? {},
      types: types.map((type) => {
        const reason = options.missing?.[typeName(type)];
        return { ...type, count: raw.get(typeName(type))?.length ?? 0, bytes: 0, ...(reason === undefined ? { fidelity: 'exact' as const } : { fidelity: 'missing' as const, reason }) };
      }),
    },
    async *objects(type: ResourceType) {
      yield* await Promise.resolve(raw.get(typeName(type)) ?? []);
    },
  };
}

/** An object of a list: name, rest, and metadata besides the name. */
export function item(namespace: string, name: string, rest: object = {}, metadata: object = {}): object {
  return { metadata: { name, ...(namespace === '' ? {} : { namespace }), uid: uid(`${namespace}/${name}/${JSON.stringify(Object.keys(rest))}`), ...metadata }, ...rest };
}

/** A UID made from a text: the same for the same text. */
export function uid(text: string): string {
  const hex = Buffer.from(text.padEnd(16, '.')).toString('hex').slice(0, 24).padEnd(32, '0');
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 0xffffffff;
  return `${sum.toString(16).padStart(8, '0')}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(0, 12)}`;
}
