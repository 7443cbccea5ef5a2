import { PROVISIONED_BY } from '../facts.ts';
import type { Facts } from '../facts.ts';
import { metaEntry, objectAt, removeAt, removeKeys, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Rule } from '../rule.ts';

/** Source: kubernetes/pkg/controller/volume/persistentvolume and component-helpers/storage/volume. */
const BIND_NOTES = [
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.kubernetes.io/selected-node',
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-resizer',
];

/** Volumes, claims and snapshots. The data of volumes is not part of cluster state. */
export const storageRules: readonly Rule[] = [
  {
    id: 'volume-provisioned',
    types: ['persistentvolumes'],
    effect: 'drop',
    when: `it has the annotation \`${PROVISIONED_BY}\``,
    why: 'Its claim is restored, and the target’s provisioner makes a new, empty volume for it. The data of volumes is not part of cluster state.',
    drops: (object) => metaEntry(object, 'annotations', PROVISIONED_BY) !== '',
  },
  {
    id: 'snapshot-taken',
    types: ['volumesnapshots.snapshot.storage.k8s.io', 'volumegroupsnapshots.groupsnapshot.storage.k8s.io'],
    effect: 'drop',
    when: 'its `spec.source` is a claim or a selector, not existing content',
    why: 'Restored, it would take a new snapshot of whatever is in the claim then, and call it the old one.',
    drops: (object) => objectAt(object, 'spec', 'source') !== undefined && !isPreProvisioned(object, 'volumeSnapshotContentName', 'volumeGroupSnapshotContentName'),
  },
  {
    id: 'snapshot-content-taken',
    types: ['volumesnapshotcontents.snapshot.storage.k8s.io', 'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io'],
    effect: 'drop',
    when: 'its `spec.source` is a volume, not an existing snapshot',
    why: 'Restored, it would take a new snapshot of a volume of the source.',
    drops: (object) => objectAt(object, 'spec', 'source') !== undefined && !isPreProvisioned(object, 'snapshotHandle', 'groupSnapshotHandles'),
  },
  {
    id: 'snapshot-content-reference',
    types: ['volumesnapshotcontents.snapshot.storage.k8s.io', 'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io'],
    effect: 'change',
    fields: ['uid and resourceVersion of spec.volumeSnapshotRef and spec.volumeGroupSnapshotRef'],
    why: 'They name one incarnation of the snapshot, which the target does not have.',
    change: (object) =>
      [
        removeKeys(object, ['spec', 'volumeSnapshotRef'], ['uid', 'resourceVersion']),
        removeKeys(object, ['spec', 'volumeGroupSnapshotRef'], ['uid', 'resourceVersion']),
      ].includes(true),
  },
  {
    id: 'claim-snapshot-source',
    types: ['persistentvolumeclaims'],
    effect: 'change',
    fields: ['spec.dataSource and spec.dataSourceRef, where they name a VolumeSnapshot and the claim was bound'],
    why: 'The claim was filled once, from a snapshot the target does not have; it would wait for it for ever.',
    // Runs before claim-binding, which takes away what says that the claim was bound.
    change: (object) => {
      if (metaEntry(object, 'annotations', 'pv.kubernetes.io/bind-completed') === '') return false;
      if (textAt(object, 'spec', 'dataSourceRef', 'kind') !== 'VolumeSnapshot' && textAt(object, 'spec', 'dataSource', 'kind') !== 'VolumeSnapshot') return false;
      return [removeAt(object, 'spec', 'dataSource'), removeAt(object, 'spec', 'dataSourceRef')].includes(true);
    },
  },
  {
    id: 'claim-binding',
    types: ['persistentvolumeclaims'],
    effect: 'change',
    fields: [...BIND_NOTES.map((name) => `metadata.annotations[${name}]`), 'spec.volumeName, unless it names a volume that a person made'],
    why: 'The target binds the claim to a volume of its own. A claim of a volume made by hand keeps that volume.',
    change: (object, facts) =>
      [removeKeys(object, ['metadata', 'annotations'], BIND_NOTES), dropVolumeName(object, facts)].includes(true),
  },
  {
    id: 'volume-claim-identity',
    types: ['persistentvolumes'],
    effect: 'change',
    fields: ['spec.claimRef.uid', 'spec.claimRef.resourceVersion', 'metadata.annotations[pv.kubernetes.io/bound-by-controller]'],
    why: 'The volume stays reserved for the claim of that name, which has a new UID in the target.',
    change: (object) =>
      [
        removeKeys(object, ['spec', 'claimRef'], ['uid', 'resourceVersion']),
        removeKeys(object, ['metadata', 'annotations'], ['pv.kubernetes.io/bound-by-controller']),
      ].includes(true),
  },
  {
    id: 'claim-and-volume',
    types: ['persistentvolumes', 'persistentvolumeclaims'],
    effect: 'aside',
    fields: ['spec.claimRef', 'spec.volumeName', 'metadata.annotations[pv.kubernetes.io/migrated-to]'],
    why: 'Which claim has which volume, and through which driver, is settled in the target, when both are there.',
    remove: (object) => {
      removeKeys(object, ['metadata', 'annotations'], ['pv.kubernetes.io/migrated-to']);
      removeAt(object, 'spec', 'claimRef');
      removeAt(object, 'spec', 'volumeName');
    },
  },
];

function isPreProvisioned(object: JsonObject, ...fields: readonly string[]): boolean {
  const source = objectAt(object, 'spec', 'source');
  return source !== undefined && fields.some((field) => source[field] !== undefined);
}

function dropVolumeName(object: JsonObject, facts: Facts): boolean {
  return !facts.staticVolumes.has(textAt(object, 'spec', 'volumeName')) && removeAt(object, 'spec', 'volumeName');
}
