import { typeName } from '../site/types.ts';
import type { ResourceType } from '../site/types.ts';
import { isObject, objectAt, objectsAt } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** Namespaces by their old and new names. */
export type NamespaceMap = ReadonlyMap<string, string>;

/** Where Kubernetes puts a namespace's name as a label. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * Gives an object its new namespace, and changes what it says about renamed namespaces wherever Kubernetes defines
 * the field to hold a namespace (docs/restore.md lists them). Changes `object`. Returns the paths of other text that seems
 * to mean a renamed namespace: it is left alone, because only a person can know.
 */
export function renameNamespaces(object: JsonObject, type: ResourceType, map: NamespaceMap): readonly string[] {
  if (map.size === 0) return [];
  const name = typeName(type);
  const metadata = objectAt(object, 'metadata');
  if (metadata !== undefined) {
    if (type.namespaced) replace(metadata, 'namespace', map);
    if (name === 'namespaces') {
      replace(metadata, 'name', map);
      replaceEntry(objectAt(metadata, 'labels'), NAME_LABEL, map);
    }
  }
  byType[name]?.(object, map);
  if (type.group === 'gateway.networking.k8s.io') everyObject(object['spec'], (part) => replace(part, 'namespace', map));
  for (const spec of podSpecs(object)) renameInPodSpec(spec, map);
  const mentions: string[] = [];
  findMentions(object, '', map, mentions);
  return mentions;
}

type Renamer = (object: JsonObject, map: NamespaceMap) => void;

const subjects: Renamer = (object, map) => {
  for (const subject of objectsAt(object, 'subjects')) renameSubject(subject, map);
};

const webhooks: Renamer = (object, map) => {
  for (const webhook of objectsAt(object, 'webhooks')) {
    replace(objectAt(webhook, 'clientConfig', 'service'), 'namespace', map);
    renameSelector(objectAt(webhook, 'namespaceSelector'), map);
  }
};

const admissionPolicy: Renamer = (object, map) => {
  renameSelector(objectAt(object, 'spec', 'matchConstraints', 'namespaceSelector'), map);
};

const admissionBinding: Renamer = (object, map) => {
  renameSelector(objectAt(object, 'spec', 'matchResources', 'namespaceSelector'), map);
  replace(objectAt(object, 'spec', 'paramRef'), 'namespace', map);
};

const endpoints: Renamer = (object, map) => {
  everyObject(object['subsets'], (part) => replace(objectAt(part, 'targetRef'), 'namespace', map));
  everyObject(object['endpoints'], (part) => replace(objectAt(part, 'targetRef'), 'namespace', map));
};

/** Fields that hold the name of another namespace, by type. Sources: the types.go files of the API groups. */
const byType: Readonly<Record<string, Renamer>> = {
  'rolebindings.rbac.authorization.k8s.io': subjects,
  'clusterrolebindings.rbac.authorization.k8s.io': subjects,
  'flowschemas.flowcontrol.apiserver.k8s.io': (object, map) => {
    for (const rule of objectsAt(object, 'spec', 'rules')) {
      for (const subject of objectsAt(rule, 'subjects')) {
        replace(objectAt(subject, 'serviceAccount'), 'namespace', map);
        for (const kind of ['user', 'group']) {
          const named = objectAt(subject, kind);
          if (named !== undefined) replaceAccountName(named, map);
        }
      }
    }
  },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': webhooks,
  'validatingadmissionpolicies.admissionregistration.k8s.io': admissionPolicy,
  'mutatingadmissionpolicies.admissionregistration.k8s.io': admissionPolicy,
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': admissionBinding,
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': admissionBinding,
  'apiservices.apiregistration.k8s.io': (object, map) => {
    replace(objectAt(object, 'spec', 'service'), 'namespace', map);
  },
  'customresourcedefinitions.apiextensions.k8s.io': (object, map) => {
    replace(objectAt(object, 'spec', 'conversion', 'webhook', 'clientConfig', 'service'), 'namespace', map);
  },
  persistentvolumes: (object, map) => {
    replace(objectAt(object, 'spec', 'claimRef'), 'namespace', map);
    everyObject(object['spec'], (part) => {
      for (const key of Object.keys(part)) if (key.endsWith('SecretRef') || key === 'secretRef') replace(objectAt(part, key), 'namespace', map);
    });
  },
  'storageclasses.storage.k8s.io': (object, map) => {
    const parameters = objectAt(object, 'parameters') ?? {};
    for (const key of Object.keys(parameters)) if (key.endsWith('secret-namespace')) replaceEntry(parameters, key, map);
  },
  persistentvolumeclaims: (object, map) => {
    replace(objectAt(object, 'spec', 'dataSourceRef'), 'namespace', map);
  },
  'volumesnapshotcontents.snapshot.storage.k8s.io': (object, map) => {
    replace(objectAt(object, 'spec', 'volumeSnapshotRef'), 'namespace', map);
  },
  'networkpolicies.networking.k8s.io': (object, map) => {
    everyObject(object['spec'], (part) => {
      renameSelector(objectAt(part, 'namespaceSelector'), map);
    });
  },
  endpoints,
  'endpointslices.discovery.k8s.io': endpoints,
};

function renameSubject(subject: JsonObject, map: NamespaceMap): void {
  if (subject['kind'] === 'ServiceAccount') replace(subject, 'namespace', map);
  else replaceAccountName(subject, map);
}

/** Users and groups that stand for ServiceAccounts. Source: Kubernetes docs, "Authenticating", service account tokens. */
function replaceAccountName(subject: JsonObject, map: NamespaceMap): void {
  const name = subject['name'];
  if (typeof name !== 'string') return;
  const match = /^(system:serviceaccounts?:)([^:]+)(.*)$/.exec(name);
  const renamed = map.get(match?.[2] ?? '');
  if (match !== null && renamed !== undefined) subject['name'] = `${match[1]}${renamed}${match[3]}`;
}

/** A label selector on namespaces: only the label that holds the namespace's own name means one by name. */
function renameSelector(selector: JsonObject | undefined, map: NamespaceMap): void {
  if (selector === undefined) return;
  replaceEntry(objectAt(selector, 'matchLabels'), NAME_LABEL, map);
  for (const expression of objectsAt(selector, 'matchExpressions')) {
    if (expression['key'] === NAME_LABEL) replaceInList(expression, 'values', map);
  }
}

function podSpecs(object: JsonObject): JsonObject[] {
  const places = [
    ['spec'],
    ['template', 'spec'],
    ['spec', 'template', 'spec'],
    ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ] as const;
  return places.map((path) => objectAt(object, ...path)).filter((spec) => spec !== undefined && Array.isArray(spec['containers'])) as JsonObject[];
}

function renameInPodSpec(spec: JsonObject, map: NamespaceMap): void {
  everyObject(spec['affinity'], (part) => {
    if (part['topologyKey'] === undefined) return;
    replaceInList(part, 'namespaces', map);
    renameSelector(objectAt(part, 'namespaceSelector'), map);
  });
}

function replace(object: JsonObject | undefined, field: 'namespace' | 'name', map: NamespaceMap): void {
  replaceEntry(object, field, map);
}

function replaceEntry(object: JsonObject | undefined, key: string, map: NamespaceMap): void {
  const value = object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined;
  const renamed = typeof value === 'string' ? map.get(value) : undefined;
  if (object !== undefined && renamed !== undefined) object[key] = renamed;
}

function replaceInList(object: JsonObject, key: string, map: NamespaceMap): void {
  const list = object[key];
  if (Array.isArray(list)) object[key] = list.map((item) => (typeof item === 'string' ? (map.get(item) ?? item) : item));
}

function everyObject(value: JsonValue | undefined, visit: (object: JsonObject) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) everyObject(item, visit);
  } else if (isObject(value)) {
    visit(value);
    for (const item of Object.values(value)) everyObject(item, visit);
  }
}

/** Notes written by tools about earlier states of the object; what they say does not act. */
const SILENT = new Set(['kubectl.kubernetes.io/last-applied-configuration']);

function findMentions(value: JsonValue, path: string, map: NamespaceMap, into: string[], key = ''): void {
  if (typeof value === 'string') {
    if (mentions(value, key, map)) into.push(path);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) findMentions(item, `${path}[${index}]`, map, into, key);
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      if (!SILENT.has(name)) findMentions(item, path === '' ? name : `${path}.${name}`, map, into, name);
    }
  }
}

function mentions(text: string, key: string, map: NamespaceMap): boolean {
  const names = /namespaces?$/i.test(key);
  for (const old of map.keys()) {
    if (names && text === old) return true;
    // A Service's DNS name, or a ServiceAccount as a user.
    if (text.includes(`.${old}.svc`) || text.includes(`system:serviceaccount:${old}:`)) return true;
  }
  return false;
}
