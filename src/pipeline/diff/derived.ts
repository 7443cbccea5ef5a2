import type { Row } from '../../adapt/row.ts';
import { objectKey, objectsAt, parseObject, nameOf, namespaceOf, textAt } from '../../adapt/json.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType, StateSource } from '../../site/types.ts';

/**
 * What controllers make of objects, by the type they make and the kinds they make it of. An object of these that only one
 * side has is there because controllers ran there, not because somebody put it there.
 */
const MADE_OF: Readonly<Record<string, readonly string[]>> = {
  'replicasets.apps': ['Deployment'],
  'controllerrevisions.apps': ['StatefulSet', 'DaemonSet'],
  'jobs.batch': ['CronJob'],
};

/** Types whose objects controllers make others of. */
const MAKERS: ReadonlySet<string> = new Set(['deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'cronjobs.batch']);

/** Remembers, of one side, what controllers could make other objects of. */
export class Makers {
  /** `Deployment/shop/web`. */
  readonly #makers = new Set<string>();
  /** Beginnings of names of claims that StatefulSets make: `shop/data-db-`. */
  readonly #claims: string[] = [];

  add(type: ResourceType, row: Row): void {
    if (MAKERS.has(typeName(type)) && row.drop === '') this.#makers.add(`${type.kind}/${objectKey(row.namespace, row.name)}`);
  }

  /** Reads what claims the StatefulSets of a side make. Source: Kubernetes docs, StatefulSet: `<template>-<set>-<ordinal>`. */
  async addClaims(source: StateSource, signal?: AbortSignal): Promise<void> {
    const type = source.summary.types.find((candidate) => typeName(candidate) === 'statefulsets.apps' && candidate.count > 0);
    if (type === undefined) return;
    for await (const bytes of source.objects(type, { signal })) {
      const set = parseObject(bytes);
      for (const template of objectsAt(set, 'spec', 'volumeClaimTemplates')) {
        this.#claims.push(`${namespaceOf(set)}/${textAt(template, 'metadata', 'name')}-${nameOf(set)}-`);
      }
    }
  }

  /** True for what comes and goes by itself while a site is at work: whichever side has it, it is no difference. */
  passes(type: ResourceType, row: Row): boolean {
    return typeName(type) === 'jobs.batch' && this.make(type, row);
  }

  /** True if a controller makes such an object of something that is known here. */
  make(type: ResourceType, row: Row): boolean {
    const name = typeName(type);
    if (name === 'serviceaccounts') return row.pristine;
    if (name === 'persistentvolumeclaims') {
      const key = objectKey(row.namespace, row.name);
      return this.#claims.some((start) => key.startsWith(start) && /^\d+$/.test(key.slice(start.length)));
    }
    const kinds = MADE_OF[name];
    if (kinds === undefined) return false;
    const controller = row.owners.find((owner) => owner.controller);
    return controller !== undefined && kinds.includes(controller.kind) && this.#makers.has(`${controller.kind}/${objectKey(row.namespace, controller.name)}`);
  }
}
