import type { ResourceType } from '../site/types.ts';
import { adapt, comparableDigest, comparableOwners } from './adapt.ts';
import { canonicalJson, digestOf } from './canonical.ts';
import { rulesFor } from './catalogue.ts';
import type { Facts } from './facts.ts';
import { nameOf, namespaceOf, objectAt, objectsAt, parseObject, removeAt, textAt } from './json.ts';
import type { JsonObject } from './json.ts';
import type { OwnerReference } from './owners.ts';
import { isPristine } from './pristine.ts';
import { renameNamespaces } from './rename.ts';
import type { NamespaceMap } from './rename.ts';

/** What is remembered of one object of a large set: enough to judge it, little enough to keep for all of them. */
export interface Row {
  /** Where it was read: before namespaces are renamed. */
  readonly sourceNamespace: string;
  readonly sourceName: string;
  /** Where it goes. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Rule that drops it, or `''`. The fields below are empty then. */
  readonly drop: string;
  readonly digest: string;
  /** The digest without what the target may choose (node ports) or fill in (default classes); `''` for types that have neither. */
  readonly looseDigest: string;
  /** What is in the fields the target may fill in, each as text; `''` where it is empty. */
  readonly filled: readonly string[];
  readonly owners: readonly OwnerReference[];
  readonly changed: readonly string[];
  readonly notes: readonly string[];
  /** Paths of text that seems to name a renamed namespace. */
  readonly mentions: readonly string[];
  /** It is what the target would have made by itself, with nothing added. */
  readonly pristine: boolean;
  /** A quota that was exceeded when the backup was made. */
  readonly exceeded: boolean;
}

export interface RowOptions {
  /** Objects it refuses are skipped. Asked about the object as it was read. */
  readonly selects?: (object: JsonObject) => boolean;
  readonly rename?: NamespaceMap;
}

/** What most rows do not have. */
type Traits = Pick<Row, 'looseDigest' | 'filled' | 'owners' | 'changed' | 'notes' | 'mentions' | 'pristine' | 'exceeded'> & {
  /** Only where it is not the name it gets. */
  readonly sourceName?: string;
};

const NONE: readonly never[] = [];
const NO_RENAMES: NamespaceMap = new Map();
/** One object for all rows with no traits: there may be a hundred thousand. */
const PLAIN: Traits = { looseDigest: '', filled: NONE, owners: NONE, changed: NONE, notes: NONE, mentions: NONE, pristine: false, exceeded: false };

class CompactRow implements Row {
  readonly sourceNamespace: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly drop: string;
  readonly digest: string;
  readonly #traits: Traits;

  constructor(place: Pick<Row, 'sourceNamespace' | 'namespace' | 'name' | 'uid'>, drop: string, digest: string, traits: Traits) {
    this.sourceNamespace = place.sourceNamespace;
    this.namespace = place.namespace;
    this.name = place.name;
    this.uid = place.uid;
    this.drop = drop;
    this.digest = digest;
    this.#traits = traits;
  }

  get sourceName(): string {
    return this.#traits.sourceName ?? this.name;
  }
  get looseDigest(): string {
    return this.#traits.looseDigest;
  }
  get filled(): readonly string[] {
    return this.#traits.filled;
  }
  get owners(): readonly OwnerReference[] {
    return this.#traits.owners;
  }
  get changed(): readonly string[] {
    return this.#traits.changed;
  }
  get notes(): readonly string[] {
    return this.#traits.notes;
  }
  get mentions(): readonly string[] {
    return this.#traits.mentions;
  }
  get pristine(): boolean {
    return this.#traits.pristine;
  }
  get exceeded(): boolean {
    return this.#traits.exceeded;
  }
}

/** Reads one object's bytes into a row; `undefined` if it is not selected. */
export function readRow(bytes: Uint8Array, type: ResourceType, facts: Facts, options: RowOptions = {}): Row | undefined {
  const object = parseObject(bytes);
  if (options.selects !== undefined && !options.selects(object)) return undefined;
  const sourceNamespace = interned(namespaceOf(object));
  const sourceName = nameOf(object);
  const uid = textAt(object, 'metadata', 'uid');
  const exceeded = type.group === '' && type.resource === 'resourcequotas' && isExceeded(object);
  const adapted = adapt(object, type, facts);
  if (!adapted.kept) return new CompactRow({ sourceNamespace, namespace: sourceNamespace, name: sourceName, uid }, adapted.rule.id, '', PLAIN);
  const mentions = renameNamespaces(object, type, options.rename ?? NO_RENAMES);
  const pristine = type.group === '' && isPristine(object, type.resource);
  const digest = comparableDigest(object, type);
  const place = { sourceNamespace, namespace: interned(namespaceOf(object)), name: nameOf(object), uid };
  const { owners, changed, notes } = adapted;
  const loose = loosen(object, type);
  const plain = owners.length + changed.length + notes.length + mentions.length === 0 && !pristine && !exceeded;
  if (plain && loose === NOT_LOOSE && place.name === sourceName) return new CompactRow(place, '', digest, PLAIN);
  const renamed = place.name === sourceName ? {} : { sourceName };
  return new CompactRow(place, '', digest, { ...loose, owners, changed: shared(changed), notes: shared(notes), mentions, pristine, exceeded, ...renamed });
}

/** What two objects are compared by. */
export type Comparable = Pick<Row, 'digest' | 'looseDigest' | 'filled'>;

/** True if two objects are equal, or differ in nothing but fields that one of them leaves for its site to fill. */
export function sameButFilled(a: Comparable, b: Comparable): boolean {
  if (a.digest === b.digest) return true;
  if (a.looseDigest === '' || a.looseDigest !== b.looseDigest || a.filled.length === 0) return false;
  return a.filled.every((value, index) => value === '' || b.filled[index] === '' || value === b.filled[index]);
}

/** The owners of a row as they are compared. */
export function ownersText(row: Pick<Row, 'owners'>): string {
  return row.owners.length === 0 ? '' : comparableOwners(row.owners);
}

/** Takes the ports that a Service is published on out of it. True if there were any. */
export function dropNodePorts(service: JsonObject): boolean {
  let dropped = removeAt(service, 'spec', 'healthCheckNodePort');
  for (const port of objectsAt(service, 'spec', 'ports')) dropped = removeAt(port, 'nodePort') || dropped;
  return dropped;
}

const NOT_LOOSE: Omit<Comparable, 'digest'> = { looseDigest: '', filled: NONE };

/** Digests what of a comparable form cannot be the target's choice. Changes `object`. */
export function loosen(object: JsonObject, type: Pick<ResourceType, 'group' | 'resource'>): Omit<Comparable, 'digest'> {
  const isService = type.group === '' && type.resource === 'services';
  const paths = rulesFor(type).fills.flatMap((rule) => rule.paths);
  if (!isService && paths.length === 0) return NOT_LOOSE;
  if (isService) dropNodePorts(object);
  const filled = paths.map((path) => {
    const value = objectAt(object, ...path.slice(0, -1))?.[path.at(-1) ?? ''];
    removeAt(object, ...path);
    return value === undefined ? '' : canonicalJson(value);
  });
  return { looseDigest: digestOf(object), filled };
}

const lists = new Map<string, readonly string[]>();

/** One list for all rows with the same few rules: most rows have the same. */
function shared(list: readonly string[]): readonly string[] {
  if (list.length === 0) return NONE;
  const key = list.join(' ');
  const known = lists.get(key);
  if (known !== undefined) return known;
  lists.set(key, list);
  return list;
}

const namespaces = new Map<string, string>();

/** One string for all rows of a namespace: parsing makes a new one for each. */
function interned(namespace: string): string {
  const known = namespaces.get(namespace);
  if (known !== undefined) return known;
  namespaces.set(namespace, namespace);
  return namespace;
}

/** True if a quota's `status.used` was above its `spec.hard` for something. */
function isExceeded(quota: JsonObject): boolean {
  const hard = objectAt(quota, 'spec', 'hard') ?? {};
  const used = objectAt(quota, 'status', 'used') ?? {};
  return Object.keys(hard).some((key) => quantity(used[key]) > quantity(hard[key]));
}

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** Reads a quantity such as `1500m` or `2Gi`. Source: apimachinery/pkg/api/resource. */
function quantity(value: unknown): number {
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '');
  return match === null ? 0 : Number(match[1]) * (SUFFIXES[match[2] ?? ''] ?? 1);
}
