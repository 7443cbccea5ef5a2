import { adapt, comparable } from '../../adapt/adapt.ts';
import { cloneObject, objectAt, parseObject, removeAt, textAt, writeObject } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { overlay } from '../../adapt/overlay.ts';
import { loosen, readRow } from '../../adapt/row.ts';
import type { Comparable } from '../../adapt/row.ts';
import { createObject, getObject, replaceObject } from '../../site/apply.ts';
import { isRefusal, SiteError } from '../../site/errors.ts';
import type { RetryLimits } from '../../site/retry.ts';
import type { ResourceType } from '../../site/types.ts';
import { adjust } from './adjust.ts';
import type { Body } from './bodies.ts';
import { likeness } from './existing.ts';
import { linkable, plannedOwners } from './owner-links.ts';
import type { ExistingPolicy } from './options.ts';
import type { PlanEntry } from './plan.ts';
import { judge, reasonOf } from './refusal.ts';
import type { Verdict } from './refusal.ts';
import type { Outcome } from './results.ts';
import type { RestoreRun } from './run.ts';
import { targetType } from './run.ts';

/** What came of trying to write one object. */
export type Attempt =
  | { readonly done: true; readonly outcome: Outcome; readonly reason?: string }
  | { readonly done: false; readonly verdict: Exclude<Verdict, 'final'>; readonly reason: string };

/** The connection waits for an API server that is away; everything else is decided here. */
const WRITE_LIMITS: RetryLimits = { outageMs: 120_000, busyAttempts: 1, failingAttempts: 1 };
/** How often an object that others change at the same time is read and written again. */
const UPDATE_ATTEMPTS = 5;

/** Writes one object, slowing down when the server asks for it. Throws only what ends the whole restore. */
export async function write(run: RestoreRun, body: Body): Promise<Attempt> {
  const entry = run.entry(body.place);
  const type = targetType(run.typeOf(entry));
  for (;;) {
    await run.limit.enter(run.signal);
    try {
      const attempt = await (entry.action === 'update' ? meet(run, body, type) : create(run, body, type));
      run.limit.succeeded();
      return attempt;
    } catch (error) {
      if (!(error instanceof SiteError)) throw error;
      const { refusal } = error;
      if (refusal.status === 429 && run.limit.idleMs < run.plan.options.patienceMs) {
        run.limit.throttled(refusal.retryAfterMs);
        continue;
      }
      const adjusted = adjust(body.object, type, refusal);
      if (adjusted !== undefined) {
        run.adjusted.set(body.place, adjusted);
        continue;
      }
      const verdict = judge(refusal);
      const reason = reasonOf(type, refusal);
      return verdict === 'final' ? { done: true, outcome: 'failed', reason } : { done: false, verdict, reason };
    } finally {
      run.limit.leave();
    }
  }
}

async function create(run: RestoreRun, body: Body, type: ResourceType): Promise<Attempt> {
  const entry = run.entry(body.place);
  const { references, complete } = linkable(run, entry);
  setOwners(body.object, references);
  const created = await createUnlessThere(run, entry, type, writeObject(body.object));
  if (created.outcome === 'exists') return meet(run, body, type);
  if (run.owning.has(body.place)) run.uids.set(body.place, uidOf(parseObject(created.body)));
  if (!complete) run.unlinked.add(body.place);
  return { done: true, outcome: 'created' };
}

/**
 * As `createObject`; but webhooks, quotas and the allocators of ports refuse before anybody looks whether the object is
 * there: what has been made meanwhile, maybe by this very request, whose first answer was lost, is found all the same.
 */
async function createUnlessThere(run: RestoreRun, entry: PlanEntry, type: ResourceType, body: string): ReturnType<typeof createObject> {
  try {
    return await createObject(run.target, type, entry.namespace, body, { signal: run.signal, retry: WRITE_LIMITS });
  } catch (error) {
    if (!(error instanceof SiteError) || error.refusal.status === 429) throw error;
    const found = await getObject(run.target, type, entry.namespace, entry.name, { signal: run.signal }).catch(() => undefined);
    run.signal?.throwIfAborted();
    if (found === undefined) throw error;
    return { outcome: 'exists' };
  }
}

/** Deals with an object that is in the target already. */
async function meet(run: RestoreRun, body: Body, type: ResourceType): Promise<Attempt> {
  const entry = run.entry(body.place);
  for (let attempt = 1; ; attempt += 1) {
    const raw = await getObject(run.target, type, entry.namespace, entry.name, { signal: run.signal });
    if (raw === undefined) {
      // It went away in between. An update that finds nothing makes it.
      return entry.action === 'update' ? create(run, body, type) : { done: false, verdict: 'passing', reason: 'one of this name came and went' };
    }
    const existing = parseObject(raw);
    if (textAt(existing, 'metadata', 'deletionTimestamp') !== '') {
      return { done: false, verdict: 'passing', reason: 'one of this name is being deleted in the target' };
    }
    const decided = compareWith(run, body, raw, type);
    if (decided !== 'update') {
      if (run.owning.has(body.place)) run.uids.set(body.place, uidOf(existing));
      return decided;
    }
    try {
      return await update(run, body, existing, type);
    } catch (error) {
      if (!isRefusal(error, 409) || attempt === UPDATE_ATTEMPTS) throw error;
    }
  }
}

function compareWith(run: RestoreRun, body: Body, raw: Uint8Array, type: ResourceType): Attempt | 'update' {
  const entry = run.entry(body.place);
  const row = readRow(raw, type, run.facts);
  if (row === undefined) return { done: true, outcome: 'failed', reason: 'what is in the target cannot be read' };
  const wanted = { digest: entry.digest === '' ? row.digest : entry.digest, ...looseForm(body.object, type) };
  const alike = likeness(wanted, plannedOwners(entry), row);
  if (alike === 'pristine') return 'update';
  if (alike === 'different') return entry.action === 'update' ? 'update' : CAME_LATER[run.plan.options.existing];
  if (alike === 'unowned') run.unlinked.add(body.place);
  if (alike === 'other-node-ports') run.adjusted.set(body.place, 'it is there with other node ports');
  return { done: true, outcome: 'unchanged' };
}

const LATER = 'it came into the target after the plan was made, and differs';
/** What to do about an object that differs and was not there when the plan was made. */
const CAME_LATER: Readonly<Record<ExistingPolicy, Attempt | 'update'>> = {
  update: 'update',
  skip: { done: true, outcome: 'kept', reason: LATER },
  fail: { done: true, outcome: 'conflict', reason: LATER },
};

async function update(run: RestoreRun, body: Body, existing: JsonObject, type: ResourceType): Promise<Attempt> {
  const entry = run.entry(body.place);
  const uid = uidOf(existing);
  const portable = adapt(cloneObject(existing), type, run.facts);
  if (!portable.kept) return { done: true, outcome: 'failed', reason: `what is in the target cannot be brought to the backup's state (${portable.rule.id})` };
  const { references, complete } = linkable(run, entry);
  const merged = overlay(existing, portable.object, body.object);
  setOwners(merged, references);
  await replaceObject(run.target, type, entry.namespace, entry.name, writeObject(merged), { signal: run.signal, retry: WRITE_LIMITS });
  if (run.owning.has(body.place)) run.uids.set(body.place, uid);
  if (!complete) run.unlinked.add(body.place);
  return { done: true, outcome: 'updated' };
}

function setOwners(object: JsonObject, references: JsonObject[]): void {
  const metadata = objectAt(object, 'metadata');
  if (metadata === undefined) return;
  if (references.length > 0) metadata['ownerReferences'] = references;
  else removeAt(metadata, 'ownerReferences');
}

function looseForm(object: JsonObject, type: ResourceType): Omit<Comparable, 'digest'> {
  const copy = comparable(cloneObject(object), type);
  removeAt(copy, 'metadata', 'ownerReferences');
  return loosen(copy, type);
}

function uidOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'uid');
}
