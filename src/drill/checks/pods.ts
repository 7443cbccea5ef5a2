import { isObject, objectAt, objectsAt, textAt } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';

/** Types that are pods or make pods. */
export const POD_TYPES = ['pods', 'podtemplates', 'replicationcontrollers', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'replicasets.apps', 'jobs.batch', 'cronjobs.batch'] as const;

/** What the pods of an object are made of; `undefined` when it makes none. */
function podSpecOf(object: JsonObject): JsonObject | undefined {
  const template = objectAt(object, 'spec', 'template', 'spec') ?? objectAt(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec') ?? objectAt(object, 'template', 'spec');
  if (template !== undefined) return template;
  const spec = objectAt(object, 'spec');
  return spec !== undefined && Array.isArray(spec['containers']) ? spec : undefined;
}

/** They make what they own of a template of their own, which is looked at there. */
const MAKERS: ReadonlySet<unknown> = new Set(['Deployment', 'CronJob']);

/** What the pods of an object are made of, if nothing else says the same: neither for what is kept as history, nor for what a Deployment or CronJob makes. */
export function ownPodSpecOf(object: JsonObject): JsonObject | undefined {
  const owners = objectsAt(object, 'metadata', 'ownerReferences');
  const made = owners.some(({ kind, controller }) => controller === true && MAKERS.has(kind));
  const history = owners.length > 0 && objectAt(object, 'spec')?.['replicas'] === 0;
  return made || history ? undefined : podSpecOf(object);
}

/** All containers, those that only run at the beginning too. */
export function containersOf(spec: JsonObject): JsonObject[] {
  return [...objectsAt(spec, 'initContainers'), ...objectsAt(spec, 'containers')];
}

/** A Secret or ConfigMap that something in a pod names. */
export interface Named {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly where: string;
}

/** Secrets and ConfigMaps without which the pods do not start. */
export function needsOf(spec: JsonObject): Named[] {
  const named: Named[] = [];
  const add = (kind: Named['kind'], holder: JsonObject | undefined, field: string, where: string): void => {
    if (holder === undefined || holder['optional'] === true) return;
    const name = textAt(holder, field);
    if (name !== '') named.push({ kind, name, where });
  };
  for (const container of containersOf(spec)) {
    const where = `container ${textAt(container, 'name')}`;
    for (const from of objectsAt(container, 'envFrom')) {
      add('Secret', objectAt(from, 'secretRef'), 'name', where);
      add('ConfigMap', objectAt(from, 'configMapRef'), 'name', where);
    }
    for (const variable of objectsAt(container, 'env')) {
      add('Secret', objectAt(variable, 'valueFrom', 'secretKeyRef'), 'name', where);
      add('ConfigMap', objectAt(variable, 'valueFrom', 'configMapKeyRef'), 'name', where);
    }
  }
  for (const volume of objectsAt(spec, 'volumes')) {
    const where = `volume ${textAt(volume, 'name')}`;
    add('Secret', objectAt(volume, 'secret'), 'secretName', where);
    add('ConfigMap', objectAt(volume, 'configMap'), 'name', where);
    add('Secret', objectAt(volume, 'csi', 'nodePublishSecretRef'), 'name', where);
    for (const source of objectsAt(volume, 'projected', 'sources')) {
      add('Secret', objectAt(source, 'secret'), 'name', where);
      add('ConfigMap', objectAt(source, 'configMap'), 'name', where);
    }
  }
  for (const secret of objectsAt(spec, 'imagePullSecrets')) add('Secret', secret, 'name', 'imagePullSecrets');
  return named;
}

/** Claims that the pods mount. */
export function claimsOf(spec: JsonObject): { readonly name: string; readonly where: string }[] {
  return objectsAt(spec, 'volumes').flatMap((volume) => {
    const claim = volume['persistentVolumeClaim'];
    return isObject(claim) ? [{ name: textAt(claim, 'claimName'), where: `volume ${textAt(volume, 'name')}` }] : [];
  });
}
