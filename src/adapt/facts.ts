import type { StateSource } from '../site/types.ts';
import { typeName } from '../site/types.ts';
import { isObject, keyOf, metaEntry, nameOf, namespaceOf, objectAt, objectKey, objectsAt, parseObject, textAt } from './json.ts';
import type { JsonObject } from './json.ts';

/** What a definition in the source says about a type of custom resources. */
export interface CustomType {
  /** The definition's name, which is also the type's: `shops.example.com`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Versions it serves. */
  readonly served: readonly string[];
  readonly storage: string;
  /** Versions with a status subresource: there, `status` is not part of what a client may write. */
  readonly statusVersions: readonly string[];
  /** How objects get from one version to another. `None` changes only `apiVersion`. */
  readonly conversion: 'None' | 'Webhook';
}

/** Facts about a whole set of objects that rules need to judge one of them. */
export interface Facts {
  readonly customTypes: ReadonlyMap<string, CustomType>;
  /** Services with a selector, as `namespace/name`: their endpoints are made by a controller. */
  readonly selectorServices: ReadonlySet<string>;
  /** Names of volumes made by a person, not by a provisioner. */
  readonly staticVolumes: ReadonlySet<string>;
  /** Token Secrets that ServiceAccounts list, as `namespace/name`. */
  readonly listedSecrets: ReadonlySet<string>;
  readonly terminatingNamespaces: ReadonlySet<string>;
  /** Only in a drill. */
  readonly drill?: DrillFacts;
}

/** What the rules for drills go by. */
export interface DrillFacts {
  /** The target is a site where others are at work. */
  readonly spare: boolean;
  /** Names the drill: what it creates in a spare site carries it as a label. */
  readonly mark: string;
}

/** Annotation of volumes that a provisioner made. Source: sig-storage-lib-external-provisioner, `annDynamicallyProvisioned`. */
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

/** Facts of a set with nothing in it. */
export const NO_FACTS: Facts = {
  customTypes: new Map(),
  selectorServices: new Set(),
  staticVolumes: new Set(),
  listedSecrets: new Set(),
  terminatingNamespaces: new Set(),
};

interface Collected {
  readonly customTypes: Map<string, CustomType>;
  readonly selectorServices: Set<string>;
  readonly staticVolumes: Set<string>;
  readonly listedSecrets: Set<string>;
  readonly terminatingNamespaces: Set<string>;
}

const collectors: Record<string, (object: JsonObject, into: Collected) => void> = {
  'customresourcedefinitions.apiextensions.k8s.io': (object, into) => {
    if (alive(object)) into.customTypes.set(nameOf(object), readCustomType(object));
  },
  namespaces: (object, into) => {
    if (textAt(object, 'metadata', 'deletionTimestamp') !== '') into.terminatingNamespaces.add(nameOf(object));
  },
  services: (object, into) => {
    const selector = objectAt(object, 'spec', 'selector');
    if (selector !== undefined && Object.keys(selector).length > 0) into.selectorServices.add(keyOf(object));
  },
  persistentvolumes: (object, into) => {
    if (metaEntry(object, 'annotations', PROVISIONED_BY) === '') into.staticVolumes.add(nameOf(object));
  },
  serviceaccounts: (object, into) => {
    for (const secret of objectsAt(object, 'secrets')) into.listedSecrets.add(objectKey(namespaceOf(object), textAt(secret, 'name')));
  },
};

const alive = (object: JsonObject): boolean => textAt(object, 'metadata', 'deletionTimestamp') === '';

/** Reads the few types that other objects are judged by. Memory grows with the number of Services, volumes and definitions only. */
export async function collectFacts(source: StateSource, signal?: AbortSignal): Promise<Facts> {
  const into: Collected = {
    customTypes: new Map(),
    selectorServices: new Set(),
    staticVolumes: new Set(),
    listedSecrets: new Set(),
    terminatingNamespaces: new Set(),
  };
  for (const type of source.summary.types) {
    const collect = collectors[typeName(type)];
    if (collect === undefined || type.count === 0) continue;
    for await (const bytes of source.objects(type, { signal })) collect(parseObject(bytes), into);
  }
  return into;
}

/** `facts`, with the definitions it lacks taken from `other`: a backup of one namespace holds no definitions, its target does. */
export function withDefinitionsOf(facts: Facts, other: Facts): Facts {
  return { ...facts, customTypes: new Map([...other.customTypes, ...facts.customTypes]) };
}

/** Reads a CustomResourceDefinition. Source: `apiextensions.k8s.io/v1` types.go. */
export function readCustomType(definition: JsonObject): CustomType {
  const versions = objectsAt(definition, 'spec', 'versions');
  const names = (keep: (version: JsonObject) => boolean): string[] => versions.filter(keep).map((version) => textAt(version, 'name'));
  return {
    name: nameOf(definition),
    kind: textAt(definition, 'spec', 'names', 'kind'),
    namespaced: textAt(definition, 'spec', 'scope') === 'Namespaced',
    served: names((version) => version['served'] === true),
    storage: names((version) => version['storage'] === true)[0] ?? '',
    statusVersions: names((version) => isObject(objectAt(version, 'subresources')?.['status'])),
    conversion: textAt(definition, 'spec', 'conversion', 'strategy') === 'Webhook' ? 'Webhook' : 'None',
  };
}
