import { ruleById } from '../../adapt/catalogue.ts';
import type { Warning } from '../../core/progress.ts';
import { apiVersionOf, typeName } from '../../site/types.ts';
import type { RestoreRequest } from './request.ts';
import { leadsToObject } from './draft.ts';
import type { Draft } from './draft.ts';
import type { ResolvedOptions } from './options.ts';
import type { DraftOwner } from './owners.ts';
import { planDigest } from './plan.ts';
import type { PlanEntry, PlanOwner, PlanType, RestorePlan } from './plan.ts';
import type { ObjectFilter } from '../select.ts';

/** Everything that is known when a plan is written down. */
export interface PlanParts {
  readonly request: RestoreRequest;
  readonly options: ResolvedOptions;
  readonly filter: ObjectFilter;
  readonly types: readonly PlanType[];
  readonly drafts: readonly Draft[];
  readonly owners: ReadonlyMap<Draft, readonly DraftOwner[]>;
  /** What making the plan found out. */
  readonly warnings: readonly Warning[];
}

/** Writes the plan down: entries in the order of the waves, owners by their place, warnings, digest. */
export function finishPlan(parts: PlanParts): RestorePlan {
  const { source, target } = parts.request;
  const drafts = parts.drafts.toSorted((a, b) => a.wave - b.wave || a.type - b.type);
  const places = parts.owners.size > 0 ? new Map(drafts.map((entry, place) => [entry, place])) : new Map<Draft, number>();
  const { at, revision, clusterUid, kubernetesVersion } = source.summary;
  const plan: Omit<RestorePlan, 'digest'> = {
    format: 1,
    source: { label: source.label, at, revision, clusterUid, kubernetesVersion },
    target: { name: target.name, server: target.server },
    options: parts.options,
    types: parts.types,
    entries: drafts.map((entry) => planEntry(entry, parts, places)),
    warnings: [...parts.warnings, ...sourceWarnings(parts), ...adviceWarnings(drafts), ...mentionWarnings(drafts, parts.types), ...ownerWarnings(drafts, parts.types)],
  };
  return { ...plan, digest: planDigest(plan) };
}

function planEntry(entry: Draft, parts: PlanParts, places: ReadonlyMap<Draft, number>): PlanEntry {
  const { row, type, wave, action, rules, reason, because } = entry;
  const namespaced = parts.types[type]?.namespaced === true;
  const from = namespaced ? row.sourceNamespace : row.sourceName;
  const renamed = from !== (namespaced ? row.namespace : row.name);
  const owners = leadsToObject(action) ? parts.owners.get(entry)?.map((owner) => planOwner(owner, parts.types, places)) : undefined;
  return {
    type,
    namespace: row.namespace,
    name: row.name,
    ...(renamed ? { from } : {}),
    action,
    ...(rules.length > 0 ? { rules } : {}),
    ...(reason === undefined ? {} : { reason }),
    wave,
    digest: leadsToObject(action) ? row.digest : '',
    ...(owners === undefined || owners.length === 0 ? {} : { owners }),
    ...(because === undefined ? {} : { because }),
    ...(entry.relink === true ? { relink: true } : {}),
  };
}

function planOwner({ owner, draft, found }: DraftOwner, types: readonly PlanType[], places: ReadonlyMap<Draft, number>): PlanOwner {
  const { kind, name, controller, blockOwnerDeletion } = owner;
  const entry = draft === undefined ? undefined : places.get(draft);
  const type = draft === undefined ? undefined : types[draft.type];
  const apiVersion = type === undefined ? (found?.apiVersion ?? owner.apiVersion) : apiVersionOf({ group: type.group, version: type.targetVersion });
  const uid = found?.uid ?? draft?.existing?.uid;
  return {
    ...(entry === undefined ? {} : { entry }),
    ...(uid === undefined ? {} : { uid }),
    apiVersion,
    kind,
    name,
    controller,
    blockOwnerDeletion,
  };
}

function sourceWarnings({ request, filter }: PlanParts): Warning[] {
  return request.source.summary.types
    .filter((type) => type.fidelity === 'missing' && filter.hasType(type))
    .map((type) => ({ kind: 'type-not-in-source', message: `${typeName(type)} could not be read when the backup was made: ${type.reason ?? 'no reason is known'}`, where: typeName(type) }));
}

function adviceWarnings(drafts: readonly Draft[]): Warning[] {
  const byRule = new Map<string, Draft[]>();
  for (const entry of drafts) {
    if (entry.row.notes.length === 0 || !leadsToObject(entry.action)) continue;
    for (const note of entry.row.notes) {
      const others = byRule.get(note);
      if (others === undefined) byRule.set(note, [entry]);
      else others.push(entry);
    }
  }
  return [...byRule].map(([id, entries]) => {
    const rule = ruleById(id);
    return { kind: 'needs-attention', message: `${named(entries)}: ${rule?.effect === 'note' ? rule.advice : ''}`, where: id };
  });
}

function mentionWarnings(drafts: readonly Draft[], types: readonly PlanType[]): Warning[] {
  const mentioning = drafts.filter(({ row, action }) => row.mentions.length > 0 && leadsToObject(action));
  return mentioning.slice(0, MOST_NAMED).map(({ row, type }) => ({
    kind: 'namespace-mentioned',
    message: `It seems to name a renamed namespace in ${row.mentions.slice(0, 3).join(', ')}${row.mentions.length > 3 ? ', …' : ''}; that was left as it is${mentioning.length > MOST_NAMED ? ` (and ${mentioning.length - MOST_NAMED} more objects)` : ''}`,
    where: `${types[type]?.kind ?? ''} ${place({ row })}`,
  }));
}

function ownerWarnings(drafts: readonly Draft[], types: readonly PlanType[]): Warning[] {
  const without = drafts.filter(({ rules }) => rules.includes('owner-missing'));
  if (without.length === 0) return [];
  const kinds = [...new Set(without.map(({ type }) => types[type]?.kind ?? ''))].sort().join(', ');
  return [{ kind: 'owner-missing', message: `${named(without)} (${kinds}): an owner is neither restored nor in the target; the reference is left out`, where: 'owner-missing' }];
}

/** Warnings about single objects stop after this many. */
const MOST_NAMED = 20;

function named(entries: readonly Pick<Draft, 'row'>[]): string {
  const shown = entries.slice(0, 3).map(place).join(', ');
  return entries.length > 3 ? `${shown} and ${entries.length - 3} more` : shown;
}

function place({ row }: Pick<Draft, 'row'>): string {
  return row.namespace === '' ? row.name : `${row.namespace}/${row.name}`;
}
