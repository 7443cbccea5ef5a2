import { comparableOwners } from '../../adapt/adapt.ts';
import type { Facts } from '../../adapt/facts.ts';
import type { JsonObject } from '../../adapt/json.ts';
import { readRow } from '../../adapt/row.ts';
import type { Row } from '../../adapt/row.ts';
import { OwnerSettlement } from '../../adapt/settle.ts';
import type { KnownOwner } from '../../adapt/settle.ts';
import type { CutType, StateSource } from '../../site/types.ts';
import { typeName } from '../../site/types.ts';
import type { DiffSide } from './report.ts';

/** One of two states while they are compared: what is known of all its objects, in little memory. */
export class Side {
  readonly source: StateSource;
  readonly facts: Facts;
  readonly types: ReadonlyMap<string, CutType>;
  readonly #kept = new Set<number>();
  readonly #dropped = new Map<number, string>();
  readonly #owned = new Map<number, Row>();
  readonly #setAside: Record<string, number> = {};
  readonly #settlement = new OwnerSettlement((uid) => this.#lookup(uid));

  constructor(source: StateSource, facts: Facts) {
    this.source = source;
    this.facts = facts;
    this.types = new Map(source.summary.types.map((type) => [typeName(type), type]));
  }

  /** Reads the rows of a type that are compared; those that rules set aside are only counted. */
  async *rows(type: CutType, selects: (object: JsonObject) => boolean, signal?: AbortSignal): AsyncGenerator<Row> {
    for await (const bytes of this.source.objects(type, { signal })) {
      const row = readRow(bytes, type, this.facts, { selects });
      if (row === undefined) continue;
      const id = uidNumber(row.uid);
      if (row.drop !== '') {
        this.#dropped.set(id, row.drop);
        this.setAside(row.drop);
        continue;
      }
      this.#kept.add(id);
      if (row.owners.length > 0) this.#owned.set(id, row);
      yield row;
    }
  }

  /** Once all types are read: the rule that sets a row aside because of its owners, or `''`. */
  dropOf(row: Row): string {
    return this.#settlement.settle(row).drop;
  }

  /** Once all types are read: a row's owners as they are compared, without those that are nowhere. */
  ownersOf(row: Row): string {
    return comparableOwners(this.#settlement.settle(row).fates.filter(({ kind }) => kind === 'restored').map(({ owner }) => owner));
  }

  setAside(rule: string): void {
    this.#setAside[rule] = (this.#setAside[rule] ?? 0) + 1;
  }

  describe(): DiffSide {
    const { label, summary } = this.source;
    return { label, at: summary.at, revision: summary.revision, setAside: this.#setAside };
  }

  #lookup(uid: string): KnownOwner | undefined {
    const id = uidNumber(uid);
    const row = this.#owned.get(id);
    if (row !== undefined) return { drop: '', row };
    if (this.#kept.has(id)) return { drop: '' };
    const drop = this.#dropped.get(id);
    return drop === undefined ? undefined : { drop };
  }
}

/** 52 bits of a random UID: a number takes a fifth of the memory, and two of a million objects collide once in 10,000 sites. */
function uidNumber(uid: string): number {
  return Number.parseInt(uid.replaceAll('-', '').slice(0, 13), 16);
}
