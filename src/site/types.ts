/** A kind of object a site serves: one resource at the one version it is read in. */
export interface ResourceType {
  /** `''` for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower case, as in URLs: `deployments`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** `deployments.apps`, `configmaps`: how people and kubectl name a type. */
export function typeName(type: Pick<ResourceType, 'group' | 'resource'>): string {
  return type.group === '' ? type.resource : `${type.resource}.${type.group}`;
}

/** `apps/v1`, `v1`. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** Which objects. Empty or absent lists mean no restriction; `exclude…` wins over `include…`. */
export interface Selection {
  /** Namespaces by exact name or with `*`. Cluster-scoped objects are governed by `clusterScoped`. */
  readonly namespaces?: readonly string[];
  readonly excludeNamespaces?: readonly string[];
  /** Types as `typeName` writes them, or `Kind`, or with `*`: `configmaps`, `*.cert-manager.io`. */
  readonly types?: readonly string[];
  readonly excludeTypes?: readonly string[];
  /** A Kubernetes label selector: `app=shop,tier!=cache`. */
  readonly labels?: string;
  /** Whether cluster-scoped objects are included. Default: true unless `namespaces` or `labels` restrict. */
  readonly clusterScoped?: boolean;
}

/** What was read of one type, and how truly. */
export interface CutType extends ResourceType {
  /** Objects read. */
  readonly count: number;
  /** Bytes of their JSON as the API server sent it. */
  readonly bytes: number;
  /**
   * `exact`: read at the cut's revision.
   * `inconsistent`: read whole, but not at that revision (an aggregated API or another etcd).
   * `missing`: could not be read; `reason` says why.
   */
  readonly fidelity: 'exact' | 'inconsistent' | 'missing';
  readonly reason?: string;
}

/** Something the site serves that is left out on purpose: it holds no objects of its own. */
export interface SkippedType {
  readonly group: string;
  /** `*` for a whole group. */
  readonly resource: string;
  readonly reason: string;
}

/** A consistent cut of a site as it is kept in a recovery point. */
export interface CutSummary {
  /** The etcd revision every `exact` type was read at. */
  readonly revision: string;
  /** When the revision was taken: ISO 8601, UTC. */
  readonly at: string;
  readonly kubernetesVersion: string;
  /** UID of the kube-system namespace: identifies the cluster. `''` when it may not be read. */
  readonly clusterUid: string;
  readonly selection: Selection;
  /**
   * Sorted by group, then resource (byte order). An API that is registered but does not answer, so that nobody knows
   * what it serves, is one `missing` entry with the resource `*`.
   */
  readonly types: readonly CutType[];
  /** Sorted likewise. */
  readonly skipped?: readonly SkippedType[];
}

/**
 * Anything that objects can be read from type by type: a recovery point, or a live site cut for a comparison.
 * Restore and diff work on this alone.
 */
export interface StateSource {
  /** For people: `point 20260314T…`, `site prod`. */
  readonly label: string;
  readonly summary: CutSummary;
  /**
   * The objects of one type, in the order they were read, each as raw JSON bytes exactly as the API server sent them.
   * List items of built-in types carry no `apiVersion` and `kind`: use the type's.
   * May be called any number of times; memory use does not grow with the number of objects.
   */
  objects(type: ResourceType, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
}
