import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { Json, StreamRef } from '../repository/api.ts';
import type { CutSummary, ResourceType } from '../site/types.ts';

/** What a recovery point of cluster state holds: the summary of the cut, and where each type's objects are. */
export interface StateManifest {
  readonly kind: 'cluster-state';
  readonly summary: CutSummary;
  /** By `streamKey`. One record for each object; a type without objects has no stream. */
  readonly streams: Readonly<Record<string, StreamRef>>;
}

/** Under which key a type's stream stands in a manifest: `apps/deployments`, `/secrets`. */
export function streamKey(type: Pick<ResourceType, 'group' | 'resource'>): string {
  return `${type.group}/${type.resource}`;
}

const strings = z.array(z.string());
const selectionSchema = z.object({
  namespaces: strings.exactOptional(),
  excludeNamespaces: strings.exactOptional(),
  types: strings.exactOptional(),
  excludeTypes: strings.exactOptional(),
  labels: z.string().exactOptional(),
  clusterScoped: z.boolean().exactOptional(),
});
const cutTypeSchema = z.object({
  group: z.string(),
  version: z.string(),
  resource: z.string(),
  kind: z.string(),
  namespaced: z.boolean(),
  count: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  fidelity: z.enum(['exact', 'inconsistent', 'missing']),
  reason: z.string().exactOptional(),
});
const summarySchema = z.object({
  revision: z.string(),
  at: z.iso.datetime(),
  kubernetesVersion: z.string(),
  clusterUid: z.string(),
  selection: selectionSchema,
  types: z.array(cutTypeSchema),
  skipped: z.array(z.object({ group: z.string(), resource: z.string(), reason: z.string() })).exactOptional(),
});
const manifestSchema: z.ZodType<StateManifest> = z.object({
  kind: z.literal('cluster-state'),
  summary: summarySchema,
  streams: z.record(z.string(), z.object({ records: z.int().nonnegative(), bytes: z.int().nonnegative(), extents: z.string() })),
});

/** A manifest as it goes into a point. Absent fields are left out. */
export function writeManifest(manifest: StateManifest): Json {
  return JSON.parse(JSON.stringify(manifest)) as Json;
}

/**
 * Reads the manifest of a point. Throws `LB_REPO_NEWER_FORMAT` when the point holds something other than cluster state,
 * and `LB_REPO_DAMAGED` when the manifest is not what lifeboat writes.
 */
export function readManifest(manifest: Json, where: string): StateManifest {
  const kind = z.object({ kind: z.string() }).safeParse(manifest);
  if (kind.success && kind.data.kind !== 'cluster-state') {
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The point holds "${kind.data.kind}", which this lifeboat does not know`, {
      where,
      hint: 'Use the lifeboat version that made the point, or a newer one.',
    });
  }
  const parsed = manifestSchema.safeParse(manifest);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LifeboatError('LB_REPO_DAMAGED', `The point's manifest is malformed: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, { where });
}
