import { comparableOwners } from '../../adapt/adapt.ts';
import type { OwnerReference } from '../../adapt/owners.ts';
import { ownerRules } from '../../adapt/rules/owners.ts';
import { OwnerSettlement } from '../../adapt/settle.ts';
import type { KnownOwner, OwnerFate } from '../../adapt/settle.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { Discovery } from '../../site/discover.ts';
import { limitedTo } from '../../site/parallel.ts';
import { leadsToObject, settleExisting } from './draft.ts';
import type { Draft } from './draft.ts';
import type { ExistingPolicy } from './options.ts';
import { findUid } from './target.ts';

/** An owner that an object gets in the target. */
export interface DraftOwner {
  readonly owner: OwnerReference;
  /** The owner in this plan. */
  readonly draft?: Draft;
  /** The owner in the target, when it is there already. */
  readonly found?: { readonly uid: string; readonly apiVersion: string };
}

/** How many owners are looked for in the target at once. */
const LOOKUPS = 16;

/**
 * Settles owner references over the whole set: objects that go with a dropped owner are dropped, references to owners
 * that are nowhere are left out. Then settles what to do about objects that exist. Returns the owners by draft.
 */
export async function linkOwners(
  drafts: readonly Draft[],
  site: { readonly connection: SiteConnection; readonly discovery: Discovery; readonly signal?: AbortSignal | undefined },
  options: {
    readonly existing: ExistingPolicy;
    /** Whether owners that are not in the set may be in the target: not, when the set is all there was. */
    readonly lookElsewhere: boolean;
  },
): Promise<ReadonlyMap<Draft, readonly DraftOwner[]>> {
  const linked = new Map<Draft, readonly DraftOwner[]>();
  const owned = drafts.filter(({ row }) => row.owners.length > 0 && row.drop === '');
  if (owned.length > 0) {
    const byUid = new Map(drafts.map((entry) => [entry.row.uid, entry]));
    const settlement = new OwnerSettlement((uid) => known(byUid.get(uid)));
    const search: Search = { byUid, find: finder(site), unknown: options.lookElsewhere };
    for (const entry of owned) {
      const { drop, fates } = settlement.settle(entry.row);
      if (drop !== '') {
        entry.action = 'drop';
        entry.rules = [drop];
        continue;
      }
      const owners = (await Promise.all(fates.map((fate) => locate(fate, entry, search)))).filter((owner) => owner !== undefined);
      if (owners.length < entry.row.owners.length && leadsToObject(entry.action)) {
        entry.rules = [...entry.rules, ownerRules.missing.id];
        if (entry.action === 'create') entry.action = 'change';
      }
      linked.set(entry, owners);
    }
  }
  for (const entry of drafts) {
    settleExisting(entry, comparableOwners((linked.get(entry) ?? []).map(({ owner }) => owner)), options.existing);
  }
  return linked;
}

function known(entry: Draft | undefined): KnownOwner | undefined {
  return entry === undefined ? undefined : { drop: entry.row.drop, row: entry.row };
}

type Find = (owner: OwnerReference, namespace: string) => Promise<DraftOwner['found']>;

interface Search {
  readonly byUid: ReadonlyMap<string, Draft>;
  readonly find: Find;
  /** Whether owners that are not in the set are looked for. */
  readonly unknown: boolean;
}

async function locate(fate: OwnerFate, entry: Draft, { byUid, find, unknown }: Search): Promise<DraftOwner | undefined> {
  const { owner } = fate;
  if (fate.kind === 'restored') {
    const draft = byUid.get(owner.uid);
    return draft !== undefined && leadsToObject(draft.action) ? { owner, draft } : undefined;
  }
  if (fate.kind === 'dropped' || (fate.kind === 'unknown' && !unknown)) return undefined;
  const found = await find(owner, entry.row.namespace);
  return found === undefined ? undefined : { owner, found };
}

/** Looks owners up in the target by name, each once. */
function finder(site: Parameters<typeof linkOwners>[1]): Find {
  const known = new Map<string, Promise<DraftOwner['found']>>();
  const limited = limitedTo(LOOKUPS);
  return (owner, namespace) => {
    const key = `${owner.group}/${owner.kind}/${namespace}/${owner.name}`;
    let found = known.get(key);
    if (found === undefined) {
      found = limited(() => findUid(site.connection, site.discovery, { group: owner.group, kind: owner.kind, namespace, name: owner.name }, site.signal));
      known.set(key, found);
    }
    return found;
  };
}
