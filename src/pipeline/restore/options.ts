import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { NamespaceMap } from '../../adapt/rename.ts';

/** What to do about an object that is in the target already and differs: leave it, bring it to the backup's state, or stop. */
export const EXISTING_POLICIES = ['skip', 'update', 'fail'] as const;
export type ExistingPolicy = (typeof EXISTING_POLICIES)[number];

const names = z.array(z.string().min(1)).readonly().exactOptional();

/** A selection as plans keep it; the same as `Selection` in src/site/types.ts. */
export const selectionSchema = z
  .object({
    namespaces: names,
    excludeNamespaces: names,
    types: names,
    excludeTypes: names,
    labels: z.string().exactOptional(),
    clusterScoped: z.boolean().exactOptional(),
  })
  .strict();

export const restoreOptionsSchema = z
  .object({
    /** Which objects of the source. Default: all. */
    selection: selectionSchema.default({}),
    /** Single objects, as `Kind/namespace/name`, or `Kind/name` for cluster-scoped ones. If there are any, only those. */
    objects: z.array(z.string()).readonly().default([]),
    /** Namespaces to rename: new names by old ones. */
    renameNamespaces: z.record(z.string(), z.string()).default({}),
    existing: z.enum(EXISTING_POLICIES).default('skip'),
    /** Requests under way at once at most. */
    concurrency: z.int().min(1).max(1024).default(32),
    /** Milliseconds without any progress after which objects that are refused for passing reasons are given up. */
    patienceMs: z.int().min(0).default(60_000),
    /** Milliseconds to wait, at the end, for workloads to be ready. 0: do not wait. */
    waitMs: z.int().min(0).default(0),
    /** Read the target again at the end and compare. */
    verify: z.boolean().default(true),
  })
  .strict();

/** How to restore; everything has a default. */
export type RestoreOptions = z.input<typeof restoreOptionsSchema>;
/** With defaults put in. */
export type ResolvedOptions = z.output<typeof restoreOptionsSchema>;

/** A DNS label (RFC 1123), as Kubernetes requires of a namespace's name. */
const NAMESPACE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Checks options and puts defaults in. Throws `LB_USAGE` saying what is wrong. */
export function resolveOptions(options: RestoreOptions): ResolvedOptions {
  const parsed = restoreOptionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new LifeboatError('LB_USAGE', `The options of the restore are not understood: ${z.prettifyError(parsed.error)}`);
  }
  const targets = new Set<string>();
  for (const [from, to] of Object.entries(parsed.data.renameNamespaces)) {
    for (const name of [from, to]) {
      if (!NAMESPACE_NAME.test(name)) throw new LifeboatError('LB_USAGE', `"${name}" cannot be the name of a namespace`);
    }
    if (targets.has(to)) {
      throw new LifeboatError('LB_USAGE', `Two namespaces would both become "${to}"`, { hint: 'Restore them one after the other, with --existing to say what wins.' });
    }
    targets.add(to);
  }
  return parsed.data;
}

/** Namespaces that get another name. */
export function renamesOf(options: Pick<ResolvedOptions, 'renameNamespaces'>): NamespaceMap {
  return new Map(Object.entries(options.renameNamespaces).filter(([from, to]) => from !== to));
}
