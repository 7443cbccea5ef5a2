import type { Manifest } from '../testbed/kubernetes/api.ts';

export interface CustomVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
}

/** The kind of `things` is `Thing`. */
export function kindOf(plural: string): string {
  return `${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)}`;
}

/** The definition of a namespaced custom type whose objects may hold anything. */
export function customType(group: string, plural: string, versions: readonly CustomVersion[], conversion?: Record<string, unknown>): Manifest {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: plural.slice(0, -1), kind: kindOf(plural) },
      versions: versions.map((version) => ({ ...version, schema })),
      ...(conversion === undefined ? {} : { conversion }),
    },
  };
}

/** Conversion by a webhook that nobody serves. */
export const BROKEN_CONVERSION = {
  strategy: 'Webhook',
  webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://127.0.0.1:1/convert' } },
};
