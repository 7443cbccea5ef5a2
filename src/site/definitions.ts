import { z } from 'zod';
import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';

/** Source: `k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1` types.go. */
const crdSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ plural: z.string(), kind: z.string() }),
    scope: z.string(),
    versions: z.array(z.object({ name: z.string(), served: z.boolean(), storage: z.boolean() })),
  }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).nullish(),
});

/** Source: `k8s.io/kube-aggregator/pkg/apis/apiregistration/v1` types.go. `service` is absent for what the API server serves itself. */
const apiServiceSchema = z.object({
  spec: z.object({ group: z.string().default(''), version: z.string().default(''), service: z.unknown().optional() }),
});

/** A custom type as its definition was at the cut's revision. */
export interface CustomType {
  readonly type: ResourceType;
  /** Versions to read it in, best first: the stored one needs no conversion. */
  readonly versions: readonly string[];
  readonly established: boolean;
}

/** What the definitions that are themselves objects of the site say of its types. */
export interface Definitions {
  /** By `typeName`. `undefined` when the definitions may not be read. */
  readonly customTypes: ReadonlyMap<string, CustomType> | undefined;
  /** `group/version` of APIs that another server answers for. */
  readonly aggregated: ReadonlySet<string>;
}

/** Gathers `Definitions` from the raw objects as they go by. */
export class DefinitionReader {
  #customTypes = new Map<string, CustomType>();
  #aggregated = new Set<string>();

  /** Takes the raw bytes of a CustomResourceDefinition. One that cannot be understood defines nothing. */
  definition(raw: Uint8Array): void {
    const parsed = crdSchema.safeParse(parse(raw));
    if (!parsed.success) return;
    const { group, names, scope, versions } = parsed.data.spec;
    const served = versions.filter((version) => version.served);
    const best = served.find((version) => version.storage) ?? served[0];
    if (best === undefined) return;
    const type = { group, version: best.name, resource: names.plural, kind: names.kind, namespaced: scope === 'Namespaced' };
    this.#customTypes.set(typeName(type), {
      type,
      versions: [best.name, ...served.filter((version) => version !== best).map((version) => version.name)],
      established: parsed.data.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') ?? false,
    });
  }

  /** Takes the raw bytes of an APIService. */
  apiService(raw: Uint8Array): void {
    const parsed = apiServiceSchema.safeParse(parse(raw));
    if (!parsed.success || parsed.data.spec.service === undefined || parsed.data.spec.service === null) return;
    this.#aggregated.add(`${parsed.data.spec.group}/${parsed.data.spec.version}`);
  }

  /** `customTypesKnown`: whether the definitions could be read at all. */
  definitions(customTypesKnown: boolean): Definitions {
    return { customTypes: customTypesKnown ? this.#customTypes : undefined, aggregated: this.#aggregated };
  }
}

function parse(raw: Uint8Array): unknown {
  return JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8'));
}
