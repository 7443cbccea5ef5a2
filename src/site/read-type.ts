import { systemClock } from '../core/clock.ts';
import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { SiteConnection } from './connect.ts';
import { isRefusal, SiteError } from './errors.ts';
import type { ListRequest, ListScope } from './list.ts';
import { listCurrent, listExact, OtherRevision } from './list.ts';
import { peekIdentity } from './peek.ts';
import { isStillThere } from './revision.ts';
import type { TakenMoment } from './revision.ts';
import type { CompiledSelection } from './selection.ts';
import type { CutType, ResourceType } from './types.ts';
import { typeName } from './types.ts';

/** Takes the objects of one type. What is not ended is void: a type that could not be read whole, or is read anew. */
export interface TypeSink {
  /** One object's raw JSON bytes, valid until this returns or what it returns resolves. Return a promise only to be waited for. */
  object(raw: Uint8Array): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Takes a cut, type by type, several types at once. */
export interface CutSink {
  /**
   * Begins a type; types without objects are never begun. Called again for the same type when its reading starts over
   * (perhaps in another version): what the earlier one took is void.
   */
  type(type: ResourceType): TypeSink;
  /** The cut starts again at a newer revision: everything taken so far is void. Nothing is under way when it is called. */
  restart(): void;
}

/** How one type is to be read. */
export interface TypePlan {
  readonly type: ResourceType;
  /** Versions to try, best first. */
  readonly versions: readonly string[];
  /** Why the type cannot be at the cut's revision; `undefined` if it can. */
  readonly elsewhere?: string;
  /**
   * What 404 means. `stale`: the type existed at the revision and must be readable, so the cut starts again.
   * `absent`: it did not exist then. `missing`: it is recorded as such.
   */
  readonly notFound: 'stale' | 'absent' | 'missing';
  /** Sees each object before the sink does. */
  readonly inspect?: (raw: Uint8Array) => void;
  /** False when the type is read for `inspect` only. */
  readonly selected: boolean;
}

/** What reading a type needs. */
export interface ReadContext {
  readonly connection: SiteConnection;
  readonly moment: TakenMoment;
  readonly selection: CompiledSelection;
  readonly sink: CutSink;
  readonly pageSize: number;
  readonly signal: AbortSignal;
  readonly tally: Tally;
}

/** Told what is read, for progress. */
export interface Tally {
  /** How many types there are in all. */
  planned(types: number): void;
  took(objects: number, bytes: number): void;
  /** How many objects a type has, as far as is known by now. */
  sized(type: ResourceType, objects: number): void;
}

/** The cut must start again at a newer revision. */
export class StartAgain extends Error {}

/** Above this many namespaces one list of everything is cheaper than one for each. */
const MOST_NAMESPACE_LISTS = 8;
/** A type that appears or disappears: how often and how far apart it is asked for before the cut gives up on the revision. */
const NOT_FOUND_TRIES = 4;
/** A type that is refused as expired at a revision that is not: how often it is asked for before it is taken to be kept elsewhere. */
const EXPIRED_TRIES = 4;
const NOT_FOUND_PAUSE_MS = 500;

/**
 * Reads all selected objects of a type at the cut's revision, or as truly as it can be had, and says how truly.
 * `undefined`: the type did not exist at that revision.
 * Throws `StartAgain`, and errors that concern the whole cut: the sink's, aborts, a site that is gone or refuses the credentials.
 */
export async function readType(context: ReadContext, plan: TypePlan): Promise<CutType | undefined> {
  let failure: unknown;
  if (plan.elsewhere === undefined) {
    for (const version of plan.versions) {
      try {
        return await readExact(context, plan, { ...plan.type, version });
      } catch (error) {
        const meaning = whatItMeans(error, plan);
        if (meaning === 'absent') return undefined;
        if (meaning === 'missing') return missing(plan.type, error);
        failure ??= error;
        if (error instanceof OtherRevision) break;
      }
    }
  }
  const reason = plan.elsewhere ?? messageOf(failure);
  try {
    return await readCurrent(context, plan, reason);
  } catch (error) {
    if (whatItMeans(error, plan) === 'absent') return undefined;
    return missing(plan.type, failure instanceof OtherRevision ? error : (failure ?? error));
  }
}

async function readExact(context: ReadContext, plan: TypePlan, type: ResourceType): Promise<CutType> {
  const { connection, moment, signal } = context;
  for (let tries = 1; ; tries += 1) {
    const reading = new Reading(context, plan, type);
    try {
      for (const request of reading.requests()) await listExact(request, moment.revision);
      return await reading.end('exact');
    } catch (error) {
      reading.void();
      if (isRefusal(error, 410)) {
        if (!(await isStillThere(connection, moment, signal))) throw new StartAgain(`revision ${moment.revision} is gone`, { cause: error });
        // Only this type cannot be read at the revision. Once may be chance; again and again means that it is kept elsewhere.
        if (tries < EXPIRED_TRIES) continue;
        throw new OtherRevision(moment.revision, '');
      }
      if (!isRefusal(error, 404) || plan.notFound !== 'stale') throw error;
      if (tries === NOT_FOUND_TRIES) throw new StartAgain(`${typeName(type)} is not served although it was defined`, { cause: error });
      await systemClock.sleep(NOT_FOUND_PAUSE_MS, signal);
    }
  }
}

async function readCurrent(context: ReadContext, plan: TypePlan, reason: string): Promise<CutType> {
  const { connection, signal } = context;
  return connection.retrying(async () => {
    const reading = new Reading(context, plan, plan.type);
    try {
      for (const request of reading.requests()) await listCurrent(request);
      return await reading.end('inconsistent', reason);
    } catch (error) {
      reading.void();
      throw error;
    }
  }, signal);
}

/** One go at reading a type. */
class Reading {
  readonly #context: ReadContext;
  readonly #plan: TypePlan;
  readonly #type: ResourceType;
  #sink: TypeSink | undefined;
  #count = 0;
  #bytes = 0;

  constructor(context: ReadContext, plan: TypePlan, type: ResourceType) {
    this.#context = context;
    this.#plan = plan;
    this.#type = type;
  }

  *requests(): Generator<ListRequest> {
    const { connection, selection, pageSize, signal, tally } = this.#context;
    const keep = this.#filter();
    const object = keep === undefined ? this.#take : (raw: Uint8Array) => (keep(raw) ? this.#take(raw) : undefined);
    for (const scope of scopes(this.#type, selection)) {
      yield {
        connection,
        type: this.#type,
        scope,
        pageSize,
        signal,
        object,
        page: (meta) => tally.sized(this.#type, this.#count + (meta.remainingItemCount ?? 0)),
      };
    }
  }

  async end(fidelity: 'exact' | 'inconsistent', reason?: string): Promise<CutType> {
    await this.#sink?.end();
    return { ...plainType(this.#type), count: this.#count, bytes: this.#bytes, fidelity, ...(reason === undefined ? {} : { reason }) };
  }

  /** What was taken does not count. */
  void(): void {
    this.#context.tally.took(-this.#count, -this.#bytes);
  }

  #filter(): ((raw: Uint8Array) => boolean) | undefined {
    const { selection } = this.#context;
    if (!selection.filtersNamespaces) return undefined;
    if (typeName(this.#type) === 'namespaces') return (raw) => selection.hasNamespace(peekIdentity(raw).name);
    if (!this.#type.namespaced || narrowed(selection)) return undefined;
    return (raw) => selection.hasNamespace(peekIdentity(raw).namespace);
  }

  readonly #take = (raw: Uint8Array): Promise<void> | void => {
    this.#count += 1;
    this.#bytes += raw.length;
    this.#plan.inspect?.(raw);
    if (!this.#plan.selected) return undefined;
    this.#context.tally.took(1, raw.length);
    this.#sink ??= this.#context.sink.type(plainType(this.#type));
    return this.#sink.object(raw);
  };
}

function narrowed(selection: CompiledSelection): boolean {
  return selection.exactNamespaces !== undefined && selection.exactNamespaces.length <= MOST_NAMESPACE_LISTS;
}

function scopes(type: ResourceType, selection: CompiledSelection): readonly ListScope[] {
  const labels = selection.labels === undefined ? {} : { labelSelector: selection.labels.text };
  const names = narrowed(selection) ? selection.exactNamespaces : undefined;
  if (typeName(type) === 'namespaces') {
    // A namespace that is selected by name is there for what is in it, whatever its labels.
    if (names !== undefined) return names.map((name) => ({ fieldSelector: `metadata.name=${name}` }));
    return [selection.filtersNamespaces ? {} : labels];
  }
  if (type.namespaced && names !== undefined) return names.map((namespace) => ({ namespace, ...labels }));
  return [labels];
}

/** What a failure says of the type. Throws what concerns the whole cut. */
function whatItMeans(error: unknown, plan: TypePlan): 'absent' | 'missing' | 'try another way' {
  if (error instanceof OtherRevision) return 'try another way';
  if (!(error instanceof SiteError)) {
    // An answer that is no list.
    if (isLifeboatError(error, 'LB_SITE_REFUSED')) return 'missing';
    throw error;
  }
  if (error.status === 401) throw error;
  if (error.status === 404 && plan.notFound === 'absent') return 'absent';
  return error.status === 403 || error.status === 404 || error.status === 405 ? 'missing' : 'try another way';
}

function missing(type: ResourceType, error: unknown): CutType {
  return { ...plainType(type), count: 0, bytes: 0, fidelity: 'missing', reason: messageOf(error) };
}

/** Only the five fields of a type: discovery knows more, and summaries are kept for ever. */
function plainType({ group, version, resource, kind, namespaced }: ResourceType): ResourceType {
  return { group, version, resource, kind, namespaced };
}
