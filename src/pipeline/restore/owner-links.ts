import { comparableOwners } from '../../adapt/adapt.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { ownerReference } from '../../adapt/owners.ts';
import type { OwnerReference } from '../../adapt/owners.ts';
import { patchObject } from '../../site/apply.ts';
import { SiteError } from '../../site/errors.ts';
import { forEachParallel } from '../for-each.ts';
import type { PlanEntry, PlanOwner } from './plan.ts';
import { reasonOf } from './refusal.ts';
import type { RestoreRun } from './run.ts';
import { nameEntry, targetType } from './run.ts';

/** The owner references that can be given to an entry now: to owners that are in the target. */
export function linkable(run: RestoreRun, entry: PlanEntry): { readonly references: JsonObject[]; readonly complete: boolean } {
  const references: JsonObject[] = [];
  for (const owner of entry.owners ?? []) {
    const uid = owner.entry === undefined ? owner.uid : run.uids.get(owner.entry);
    if (uid !== undefined) references.push(ownerReference(asReference(owner), uid));
  }
  return { references, complete: references.length === (entry.owners?.length ?? 0) };
}

/** The owners an entry is to have, as text for comparing. */
export function plannedOwners(entry: PlanEntry): string {
  return entry.owners === undefined ? '' : comparableOwners(entry.owners.map(asReference));
}

/** Gives entries that were made before their owners the references to those that are there by now. */
export async function linkPending(run: RestoreRun): Promise<void> {
  const ready = [...run.unlinked].filter((place) => linkable(run, run.entry(place)).complete);
  await forEachParallel(ready, run.plan.options.concurrency, async (place) => {
    if (await patchOwners(run, place)) run.unlinked.delete(place);
  });
}

/** At the end: what is still without an owner gets the references it can get, and the report says so. */
export async function giveUpLinks(run: RestoreRun): Promise<void> {
  await forEachParallel(run.unlinked, run.plan.options.concurrency, async (place) => {
    const entry = run.entry(place);
    run.warn({ kind: 'owner-missing', message: 'An owner could not be restored; the reference to it is left out', where: nameEntry(run.typeOf(entry), entry) });
    await patchOwners(run, place);
  });
}

async function patchOwners(run: RestoreRun, place: number): Promise<boolean> {
  const entry = run.entry(place);
  const { references } = linkable(run, entry);
  if (references.length === 0) return false;
  const type = targetType(run.typeOf(entry));
  const body = JSON.stringify({ metadata: { ownerReferences: references } });
  try {
    await patchObject(run.target, type, entry.namespace, entry.name, { type: 'merge', body }, { signal: run.signal });
    return true;
  } catch (error) {
    if (!(error instanceof SiteError)) throw error;
    run.warn({ kind: 'owner-not-linked', message: `Its owner references could not be put in: ${reasonOf(type, error.refusal)}`, where: nameEntry(run.typeOf(entry), entry) });
    return false;
  }
}

function asReference(owner: PlanOwner): OwnerReference {
  const slash = owner.apiVersion.indexOf('/');
  return { ...owner, uid: owner.uid ?? '', group: slash < 0 ? '' : owner.apiVersion.slice(0, slash) };
}
