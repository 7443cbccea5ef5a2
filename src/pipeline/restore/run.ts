import type { Facts } from '../../adapt/facts.ts';
import type { NamespaceMap } from '../../adapt/rename.ts';
import type { OnProgress, Warning } from '../../core/progress.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { ResourceType, StateSource } from '../../site/types.ts';
import { renamesOf } from './options.ts';
import type { PlanEntry, PlanType, RestorePlan } from './plan.ts';
import { Results } from './results.ts';
import { AdaptiveLimit } from './limiter.ts';

/** A part of a restore and the seconds it took. */
export interface Phase {
  readonly name: 'load' | 'discover' | 'plan' | 'apply' | 'wait' | 'verify';
  readonly seconds: number;
}

/** A wave of a restore, and how long it took. */
export interface WaveTime {
  readonly wave: number;
  readonly name: string;
  /** Entries that were written, or tried to. */
  readonly objects: number;
  /** With waiting for what comes of it (types that are served, quotas that count), and with second tries. */
  readonly seconds: number;
}

/** Everything that the parts of one restore share while it runs. */
export class RestoreRun {
  readonly plan: RestorePlan;
  readonly source: StateSource;
  readonly target: SiteConnection;
  readonly facts: Facts;
  readonly rename: NamespaceMap;
  readonly signal: AbortSignal | undefined;
  readonly results: Results;
  readonly limit: AdaptiveLimit;
  readonly warnings: Warning[] = [];
  /** UIDs in the target of entries that own others. */
  readonly uids = new Map<number, string>();
  /** Entries that others name as their owner. */
  readonly owning: ReadonlySet<number>;
  /** Entries that exist without some of the owners they are to have. */
  readonly unlinked = new Set<number>();
  /** Entries that were changed because the target refused them as they were, and what was changed. */
  readonly adjusted = new Map<number, string>();
  /** What each wave took, in their order; filled when it is done. */
  readonly waves: WaveTime[] = [];
  readonly #onProgress: OnProgress | undefined;

  constructor(parts: {
    readonly plan: RestorePlan;
    readonly source: StateSource;
    readonly target: SiteConnection;
    readonly facts: Facts;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: OnProgress | undefined;
  }) {
    this.plan = parts.plan;
    this.source = parts.source;
    this.target = parts.target;
    this.facts = parts.facts;
    this.signal = parts.signal;
    this.#onProgress = parts.onProgress;
    this.rename = renamesOf(parts.plan.options);
    this.results = new Results(parts.plan.entries.length);
    this.limit = new AdaptiveLimit(parts.plan.options.concurrency);
    const owning = new Set<number>();
    for (const { owners } of parts.plan.entries) {
      for (const owner of owners ?? []) {
        if (owner.entry === undefined) continue;
        owning.add(owner.entry);
        if (owner.uid !== undefined) this.uids.set(owner.entry, owner.uid);
      }
    }
    this.owning = owning;
  }

  entry(place: number): PlanEntry {
    const entry = this.plan.entries[place];
    if (entry === undefined) throw new RangeError(`The plan has no entry ${place}`);
    return entry;
  }

  typeOf(entry: PlanEntry): PlanType {
    const type = this.plan.types[entry.type];
    if (type === undefined) throw new RangeError(`The plan has no type ${entry.type}`);
    return type;
  }

  warn(warning: Warning): void {
    this.warnings.push(warning);
  }

  progress(detail?: string): void {
    this.#onProgress?.({ phase: 'apply', done: this.results.decided, total: this.plan.entries.length, unit: 'objects', ...(detail === undefined ? {} : { detail }) });
  }

  phase(phase: string, done: number, total?: number): void {
    this.#onProgress?.({ phase, done, unit: 'objects', ...(total === undefined ? {} : { total }) });
  }
}

/** The type as it is written to the target. */
export function targetType(type: PlanType): ResourceType {
  const { group, resource, kind, namespaced, targetVersion } = type;
  return { group, version: targetVersion, resource, kind, namespaced };
}

/** For people: `Secret shop/db`. */
export function nameEntry(type: PlanType, entry: PlanEntry): string {
  return `${type.kind} ${entry.namespace === '' ? entry.name : `${entry.namespace}/${entry.name}`}`;
}
