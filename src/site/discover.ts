import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { SiteConnection } from './connect.ts';
import { isRefusal } from './errors.ts';
import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';

/** A type as a site serves it. `version` is the one the server prefers. */
export interface ServedType extends ResourceType {
  /** All versions it is served in, the preferred one first. */
  readonly versions: readonly string[];
  /** `create`, `list`, `patch`, … in the preferred version. */
  readonly verbs: readonly string[];
}

/** An API that is registered but did not answer: what it serves is not known, or not for sure. */
export interface UnavailableApi {
  readonly group: string;
  readonly version: string;
  readonly reason: string;
}

export interface Discovery {
  /** Every type that can be listed; one entry for each group and resource. Sorted by group, then resource (byte order). */
  readonly types: readonly ServedType[];
  readonly unavailable: readonly UnavailableApi[];
}

/**
 * Source: `k8s.io/api/apidiscovery/v2` types.go; the Accept value is from KEP-3352. Servers before 1.26 do not know
 * it and answer the last one with plain documents.
 */
const ACCEPT = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

const aggregatedSchema = z.object({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z
    .array(
      z.object({
        metadata: z.object({ name: z.string().default('') }).nullish(),
        versions: z
          .array(
            z.object({
              version: z.string(),
              freshness: z.string().default('Current'),
              resources: z
                .array(
                  z.object({
                    resource: z.string(),
                    responseKind: z.object({ kind: z.string() }).nullish(),
                    scope: z.string(),
                    verbs: z.array(z.string()).nullish(),
                  }),
                )
                .nullish(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});
const coreVersionsSchema = z.object({ kind: z.literal('APIVersions'), versions: z.array(z.string()) });
const groupsSchema = z.object({
  kind: z.literal('APIGroupList'),
  groups: z
    .array(
      z.object({
        name: z.string(),
        versions: z.array(z.object({ version: z.string() })),
        preferredVersion: z.object({ version: z.string() }).nullish(),
      }),
    )
    .nullish(),
});
const resourcesSchema = z.object({
  resources: z
    .array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()).nullish() }))
    .nullish(),
});

/** One served version of a type, before versions are put together. */
type Occurrence = ResourceType & { readonly verbs: readonly string[] };

/** Collects occurrences in the server's order of preference. */
interface Found {
  readonly occurrences: Occurrence[];
  readonly unavailable: UnavailableApi[];
}

/**
 * Asks a site what it serves: aggregated discovery, or the older documents where a server has only those.
 * Throws `LB_SITE_REFUSED` when the answer is not that of a Kubernetes API server.
 */
export async function discover(connection: SiteConnection, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Discovery> {
  const found: Found = { occurrences: [], unavailable: [] };
  await Promise.all((['/api', '/apis'] as const).map((root) => discoverRoot(connection, root, found, options.signal)));
  const types = new Map<string, ServedType>();
  for (const { verbs, ...type } of found.occurrences) {
    if (!verbs.includes('list')) continue;
    const name = typeName(type);
    const known = types.get(name);
    types.set(name, known ? { ...known, versions: [...known.versions, type.version] } : { ...type, versions: [type.version], verbs });
  }
  return { types: [...types.values()].toSorted(byTypeName), unavailable: found.unavailable };
}

/** The order of types in summaries: group, then resource, by bytes. */
export function byTypeName(a: Pick<ResourceType, 'group' | 'resource'>, b: Pick<ResourceType, 'group' | 'resource'>): number {
  if (a.group !== b.group) return a.group < b.group ? -1 : 1;
  if (a.resource === b.resource) return 0;
  return a.resource < b.resource ? -1 : 1;
}

/** The served type of this group and resource; `undefined` if the site does not serve it. */
export function findType(discovery: Discovery, wanted: Pick<ResourceType, 'group' | 'resource'>): ServedType | undefined {
  return discovery.types.find((type) => type.group === wanted.group && type.resource === wanted.resource);
}

async function discoverRoot(connection: SiteConnection, root: '/api' | '/apis', found: Found, signal: AbortSignal | undefined): Promise<void> {
  const document = await fetchJson(connection, root, signal);
  const aggregated = aggregatedSchema.safeParse(document);
  if (aggregated.success) {
    readAggregated(aggregated.data, found);
    return;
  }
  const core = coreVersionsSchema.safeParse(document);
  if (core.success) {
    for (const version of core.data.versions) await readVersion(connection, '', version, found, signal);
    return;
  }
  const groups = groupsSchema.safeParse(document);
  if (!groups.success) {
    throw new LifeboatError('LB_SITE_REFUSED', `${connection.server}${root} does not answer as a Kubernetes API server does`, {
      where: `site "${connection.name}"`,
      hint: 'Check the server of the kubeconfig context.',
    });
  }
  for (const { name, versions, preferredVersion } of groups.data.groups ?? []) {
    const preferred = preferredVersion?.version;
    const ordered = versions.map(({ version }) => version).toSorted((a, b) => Number(b === preferred) - Number(a === preferred));
    for (const version of ordered) await readVersion(connection, name, version, found, signal);
  }
}

function readAggregated(document: z.infer<typeof aggregatedSchema>, found: Found): void {
  for (const item of document.items ?? []) {
    const group = item.metadata?.name ?? '';
    for (const { version, freshness, resources } of item.versions ?? []) {
      if (freshness !== 'Current') {
        found.unavailable.push({ group, version, reason: 'the API is registered, but what serves it does not answer' });
      }
      for (const { resource, responseKind, scope, verbs } of resources ?? []) {
        found.occurrences.push({
          group,
          version,
          resource,
          kind: responseKind?.kind ?? '',
          namespaced: scope === 'Namespaced',
          verbs: verbs ?? [],
        });
      }
    }
  }
}

async function readVersion(connection: SiteConnection, group: string, version: string, found: Found, signal: AbortSignal | undefined): Promise<void> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  let document: unknown;
  try {
    document = await fetchJson(connection, path, signal);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    found.unavailable.push({ group, version, reason: messageOf(error) });
    return;
  }
  const parsed = resourcesSchema.safeParse(document);
  if (!parsed.success) {
    found.unavailable.push({ group, version, reason: 'its list of resources cannot be read' });
    return;
  }
  for (const { name, kind, namespaced, verbs } of parsed.data.resources ?? []) {
    // `pods/log`: a subresource.
    if (!name.includes('/')) found.occurrences.push({ group, version, resource: name, kind, namespaced, verbs: verbs ?? [] });
  }
}

async function fetchJson(connection: SiteConnection, path: string, signal: AbortSignal | undefined): Promise<unknown> {
  const answer = await connection.request({ path, accept: ACCEPT, doing: `discover ${path}`, signal });
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    return undefined;
  }
}
