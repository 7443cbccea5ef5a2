import type { Facts } from '../../adapt/facts.ts';
import { findType } from '../../site/discover.ts';
import type { Discovery } from '../../site/discover.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';

/** In which version a type of the source is created in the target. */
export type TypeMapping =
  | { readonly kind: 'served'; readonly version: string }
  /** Its definition comes with the restore. */
  | { readonly kind: 'defined'; readonly version: string }
  | { readonly kind: 'unsupported'; readonly reason: string };

/**
 * Versions of built-in types whose objects have the same fields: only `apiVersion` changes.
 * Source: the conversion functions in kubernetes/pkg/apis, and the deprecation guide.
 */
const SAME_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'cronjobs.batch': ['v1beta1', 'v1'],
  'flowschemas.flowcontrol.apiserver.k8s.io': ['v1beta3', 'v1'],
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': ['v1beta3', 'v1'],
  'validatingadmissionpolicies.admissionregistration.k8s.io': ['v1beta1', 'v1'],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': ['v1beta1', 'v1'],
  'mutatingadmissionpolicies.admissionregistration.k8s.io': ['v1alpha1', 'v1beta1', 'v1'],
  'mutatingadmissionpolicybindings.admissionregistration.k8s.io': ['v1alpha1', 'v1beta1', 'v1'],
  'servicecidrs.networking.k8s.io': ['v1beta1', 'v1'],
  'ipaddresses.networking.k8s.io': ['v1beta1', 'v1'],
  'volumeattributesclasses.storage.k8s.io': ['v1alpha1', 'v1beta1', 'v1'],
  'runtimeclasses.node.k8s.io': ['v1beta1', 'v1'],
  'csidrivers.storage.k8s.io': ['v1beta1', 'v1'],
  'priorityclasses.scheduling.k8s.io': ['v1beta1', 'v1'],
};

/** Finds out how a type of the source can be created in the target. `source`: what the source's definitions say. */
export function mapType(type: ResourceType, target: Discovery, source: Facts): TypeMapping {
  const name = typeName(type);
  const served = findType(target, type);
  const custom = source.customTypes.get(name);
  if (served === undefined) {
    if (custom?.served.includes(type.version) === true) return { kind: 'defined', version: type.version };
    const away = target.unavailable.find((api) => api.group === type.group);
    const reason = away === undefined ? 'the target does not serve this type' : `the target’s API ${away.group}/${away.version} does not answer`;
    return { kind: 'unsupported', reason };
  }
  if (!served.verbs.includes('create')) return { kind: 'unsupported', reason: 'the target does not let anyone create such objects' };
  if (served.versions.includes(type.version)) return { kind: 'served', version: type.version };
  const others = served.versions.join(', ');
  const alike = custom === undefined ? (SAME_FIELDS[name] ?? []) : custom.conversion === 'None' ? custom.served : [];
  const version = alike.includes(type.version) ? served.versions.find((candidate) => alike.includes(candidate)) : undefined;
  if (version !== undefined) return { kind: 'served', version };
  return { kind: 'unsupported', reason: `it was read in version ${type.version}; the target serves ${others}, whose fields may mean something else` };
}
