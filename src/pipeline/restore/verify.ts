import { adapt, comparable } from '../../adapt/adapt.ts';
import { rulesFor } from '../../adapt/catalogue.ts';
import { differences } from '../../adapt/difference.ts';
import type { Difference } from '../../adapt/difference.ts';
import { objectKey, parseObject } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { dropNodePorts, ownersText, readRow } from '../../adapt/row.ts';
import { messageOf } from '../../core/errors.ts';
import { getObject } from '../../site/apply.ts';
import { isRefusal } from '../../site/errors.ts';
import { typeName } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';
import { showValue } from '../show-value.ts';
import type { ShownDifference } from '../show-value.ts';
import { bodiesOf } from './bodies.ts';
import { plannedOwners } from './owner-links.ts';
import { forEachParallel } from '../for-each.ts';
import type { Outcome } from './results.ts';
import { nameEntry, targetType } from './run.ts';
import type { RestoreRun } from './run.ts';
import { readTarget } from './target.ts';

/** An object that is not in the target as the backup has it. */
export interface VerifiedDifference {
  /** `Deployment shop/web`. */
  readonly object: string;
  /** `missing`: it is not there. Else where it differs: `a` is the backup, `b` the target. */
  readonly missing: boolean;
  readonly differences: readonly ShownDifference[];
}

export interface VerifyResult {
  /** Objects that were created, updated or found unchanged, and looked at again. */
  readonly checked: number;
  readonly equal: number;
  readonly different: number;
  readonly missing: number;
  /** The first of them, in detail. */
  readonly details: readonly VerifiedDifference[];
}

/** Differences shown in detail; all are counted. */
const MOST_DETAILS = 100;
const READERS = 8;
const TO_CHECK: ReadonlySet<Outcome | undefined> = new Set<Outcome>(['created', 'updated', 'unchanged']);

/** Reads the target again and compares every object that was created, updated or found unchanged with the plan. */
export async function verifyRestore(run: RestoreRun): Promise<VerifyResult> {
  const byType = new Map<number, Map<string, number>>();
  for (const [place, entry] of run.plan.entries.entries()) {
    if (!TO_CHECK.has(run.results.outcome(place)) || entry.digest === '') continue;
    const places = byType.get(entry.type) ?? new Map<string, number>();
    byType.set(entry.type, places);
    places.set(objectKey(entry.namespace, entry.name), place);
  }
  const total = [...byType.values()].reduce((sum, places) => sum + places.size, 0);
  let checked = 0;
  const wrong: { readonly place: number; readonly missing: boolean }[] = [];
  await forEachParallel(byType, READERS, async ([type, places]) => {
    try {
      wrong.push(...(await compareType(run, type, places)));
      checked += places.size;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const planType = run.plan.types[type];
      run.warn({ kind: 'not-verified', message: `${places.size} objects could not be read again: ${messageOf(error)}`, ...(planType === undefined ? {} : { where: typeName(planType) }) });
    }
    run.phase('verify', checked, total);
  });
  const details = await explain(run, wrong);
  // What differs only where the target chose something else has been told already.
  const excused = details.filter((detail) => !detail.missing && detail.differences.length === 0).length;
  const missing = wrong.filter((one) => one.missing).length;
  return {
    checked,
    equal: checked - wrong.length + excused,
    different: wrong.length - missing - excused,
    missing,
    details: details.filter((detail) => detail.missing || detail.differences.length > 0),
  };
}

async function compareType(run: RestoreRun, type: number, places: ReadonlyMap<string, number>): Promise<{ place: number; missing: boolean }[]> {
  const planType = run.plan.types[type];
  if (planType === undefined) return [];
  const served = targetType(planType);
  const namespaces = new Set([...places.values()].map((place) => run.entry(place).namespace));
  const seen = new Set<number>();
  const wrong = new Set<number>();
  await readTarget(run.target, served, {
    // Fewer requests where few namespaces of many are concerned.
    namespaces: planType.namespaced && namespaces.size <= 4 ? [...namespaces] : undefined,
    object: (raw) => {
      const row = readRow(raw, served, run.facts);
      const place = row === undefined ? undefined : places.get(objectKey(row.namespace, row.name));
      if (row === undefined || place === undefined) return;
      const entry = run.entry(place);
      seen.add(place);
      if (row.digest !== entry.digest || ownersText(row) !== plannedOwners(entry)) wrong.add(place);
    },
    restart: () => {
      seen.clear();
      wrong.clear();
    },
    signal: run.signal,
  });
  const missing = [...places.values()].filter((place) => !seen.has(place));
  return [...missing.map((place) => ({ place, missing: true })), ...[...wrong].map((place) => ({ place, missing: false }))];
}

async function explain(run: RestoreRun, wrong: readonly { readonly place: number; readonly missing: boolean }[]): Promise<VerifiedDifference[]> {
  // Only a look at them tells whether objects the target may change in places are as they should be.
  const unsure = wrong.filter(({ place }) => mayDiffer(run, place));
  const rest = wrong.filter(({ place }) => !mayDiffer(run, place));
  const details: VerifiedDifference[] = [];
  const byType = new Map<number, number[]>();
  for (const { place, missing } of [...unsure, ...rest.slice(0, MOST_DETAILS)]) {
    const entry = run.entry(place);
    if (missing) details.push({ object: nameEntry(run.typeOf(entry), entry), missing, differences: [] });
    else addTo(byType, entry.type, place);
  }
  for (const [type, places] of byType) {
    for await (const { place, object } of bodiesOf(run, type, places)) details.push(await explainOne(run, place, object));
  }
  return details;
}

/** True if the target may have put something else into fields of an object, rightly. */
function mayDiffer(run: RestoreRun, place: number): boolean {
  return run.adjusted.has(place) || rulesFor(run.typeOf(run.entry(place))).fills.length > 0;
}

async function explainOne(run: RestoreRun, place: number, wanted: JsonObject): Promise<VerifiedDifference> {
  const entry = run.entry(place);
  const type = targetType(run.typeOf(entry));
  const object = nameEntry(run.typeOf(entry), entry);
  const raw = await getObject(run.target, type, entry.namespace, entry.name, { signal: run.signal }).catch((error: unknown) => {
    if (isRefusal(error)) return undefined;
    throw error;
  });
  if (raw === undefined) return { object, missing: true, differences: [] };
  const owners = ownersText(readRow(raw, type, run.facts) ?? { owners: [] });
  const adapted = adapt(parseObject(raw), type, run.facts);
  if (!adapted.kept) return { object, missing: false, differences: [{ path: '', b: `it is set aside now (${adapted.rule.id})` }] };
  const sides = [comparable(wanted, type), comparable(adapted.object, type)] as const;
  if (run.adjusted.has(place)) for (const side of sides) dropNodePorts(side);
  const found: Difference[] = differences(...sides).filter((difference) => !isFilled(difference, type));
  if (owners !== plannedOwners(entry)) found.push({ path: 'metadata.ownerReferences', a: plannedOwners(entry), b: owners });
  return { object, missing: false, differences: found.map((difference) => showValue(difference, type)) };
}

/** True for a field that one side leaves for its site to fill. */
function isFilled({ path, a, b }: Difference, type: ResourceType): boolean {
  if (a !== undefined && b !== undefined) return false;
  return rulesFor(type).fills.some((rule) => rule.paths.some((keys) => keys.join('.') === path));
}

function addTo(places: Map<number, number[]>, type: number, place: number): void {
  const known = places.get(type);
  if (known === undefined) places.set(type, [place]);
  else known.push(place);
}
