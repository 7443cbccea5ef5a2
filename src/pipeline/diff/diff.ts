import { collectFacts, withDefinitionsOf } from '../../adapt/facts.ts';
import type { DrillFacts, Facts } from '../../adapt/facts.ts';
import { nameOf, objectKey, parseObject } from '../../adapt/json.ts';
import { ownersText, sameButFilled } from '../../adapt/row.ts';
import type { Row } from '../../adapt/row.ts';
import type { OnProgress } from '../../core/progress.ts';
import { byTypeName } from '../../site/discover.ts';
import type { CutType, Selection, StateSource } from '../../site/types.ts';
import { typeName } from '../../site/types.ts';
import { objectFilter } from '../select.ts';
import type { ObjectFilter } from '../select.ts';
import { nothingSelected, refuseUnknownTypes, SelectionCheck } from '../selection-check.ts';
import { Makers } from './derived.ts';
import { explainType } from './details.ts';
import type { DiffObject, DiffReport } from './report.ts';
import { Side } from './side.ts';

export interface DiffOptions {
  /** Which objects are compared. Default: all that both sides were cut to hold. */
  readonly selection?: Selection;
  /** Differences listed at most; all are counted. Default 1,000. */
  readonly limit?: number;
  /** Compare as a drill restores. */
  readonly drill?: DrillFacts | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** An object that may differ: what is left to decide needs the whole of both sides. */
interface Candidate {
  readonly type: CutType;
  readonly a?: Row;
  readonly b?: Row;
}

/** Progress is told once for so many objects. */
const PROGRESS_STEP = 256;

/**
 * Compares two states object by object, in the form that a restore would create (docs/restore.md): what is left is what
 * really differs. Objects are matched by group, resource, namespace and name, whatever version they were read in.
 * Memory: some hundred bytes for each object of one type, and for each object that differs.
 * Throws `LB_USAGE` for a selection that is malformed or names what neither side has, and what reading the sources throws.
 */
export async function diffStates(a: StateSource, b: StateSource, options: DiffOptions = {}): Promise<DiffReport> {
  const { signal } = options;
  const factsA = await collectFacts(a, signal);
  const factsB = await collectFacts(b, signal);
  const inDrill = (facts: Facts): Facts => (options.drill === undefined ? facts : { ...facts, drill: options.drill });
  const sides = { a: new Side(a, inDrill(withDefinitionsOf(factsA, factsB))), b: new Side(b, inDrill(withDefinitionsOf(factsB, factsA))) };
  return new Comparison(sides, options).run();
}

class Comparison {
  readonly #sides: { readonly a: Side; readonly b: Side };
  readonly #options: DiffOptions;
  readonly #filters: readonly ObjectFilter[];
  readonly #check = new SelectionCheck();
  readonly #makers = new Makers();
  readonly #candidates: Candidate[] = [];
  readonly #notCompared: DiffReport['notCompared'][number][] = [];
  #same = 0;
  #derived = 0;
  #read = 0;

  constructor(sides: { readonly a: Side; readonly b: Side }, options: DiffOptions) {
    this.#sides = sides;
    this.#options = options;
    // What one side was never meant to hold is no difference.
    const selections = [options.selection ?? {}, sides.a.source.summary.selection, sides.b.source.summary.selection];
    this.#filters = selections.map((selection) => objectFilter({ selection, objects: [] }));
  }

  async run(): Promise<DiffReport> {
    const { a, b } = this.#sides;
    await this.#makers.addClaims(a.source, this.#options.signal);
    const types = new Map([...b.types, ...a.types]);
    refuseUnknownTypes(this.#options.selection ?? {}, [...types.values()], this.#place);
    for (const type of [...types.values()].toSorted(byTypeName)) {
      if (this.#filters.every((filter) => filter.hasType(type))) await this.#compareType(type);
    }
    await this.#checkSelection();
    return this.#report(this.#candidates.filter((candidate) => this.#differs(candidate)));
  }

  get #place(): string {
    return `${this.#sides.a.source.label} or ${this.#sides.b.source.label}`;
  }

  /** Refuses names that neither side has: "no difference" would be said of nothing. */
  async #checkSelection(): Promise<void> {
    const { selection = {}, signal } = this.#options;
    const nothing = this.#filters[0]?.restricts === true && this.#check.selected === 0 && this.#notCompared.length === 0;
    if (!nothing && this.#check.unseen(selection).length === 0) return;
    // What is in them may be of other types than those compared.
    let known = true;
    for (const { source, types } of [this.#sides.a, this.#sides.b]) {
      const namespaces = types.get('namespaces');
      known &&= namespaces !== undefined && namespaces.fidelity !== 'missing';
      if (namespaces === undefined || namespaces.count === 0) continue;
      for await (const bytes of source.objects(namespaces, { signal })) this.#check.namespaces.add(nameOf(parseObject(bytes)));
    }
    if (known || nothing) this.#check.refuseNamespaces(this.#check.unseen(selection), this.#place);
    if (nothing) throw nothingSelected(this.#place, []);
  }

  async #compareType(type: CutType): Promise<void> {
    const name = typeName(type);
    const typeA = this.#sides.a.types.get(name);
    const typeB = this.#sides.b.types.get(name);
    const unread = [typeA, typeB].find((side) => side?.fidelity === 'missing');
    if (unread !== undefined) {
      this.#notCompared.push({ type: name, reason: unread.reason ?? 'it could not be read' });
      return;
    }
    const rows = new Map<string, Row>();
    for await (const row of this.#rows(this.#sides.a, typeA)) {
      this.#makers.add(type, row);
      rows.set(objectKey(row.namespace, row.name), row);
    }
    for await (const b of this.#rows(this.#sides.b, typeB)) {
      const key = objectKey(b.namespace, b.name);
      const a = rows.get(key);
      rows.delete(key);
      if (a !== undefined && sameButFilled(a, b) && ownersText(a) === ownersText(b)) this.#same += 1;
      else this.#candidates.push({ type, ...(a === undefined ? {} : { a }), b });
    }
    for (const a of rows.values()) this.#candidates.push({ type, a });
  }

  async *#rows(side: Side, type: CutType | undefined): AsyncGenerator<Row> {
    if (type === undefined || type.count === 0) return;
    const { signal, onProgress } = this.#options;
    for await (const row of side.rows(type, (object) => this.#check.note(type, object, this.#filters.every((filter) => filter.has(type, object))), signal)) {
      yield row;
      this.#read += 1;
      if (this.#read % PROGRESS_STEP === 0) onProgress?.({ phase: 'compare', done: this.#read, unit: 'objects', detail: typeName(type) });
    }
  }

  /** Decides about a candidate, now that all owners are known. */
  #differs({ type, a, b }: Candidate): boolean {
    const here = this.#settled(this.#sides.a, a);
    const there = this.#settled(this.#sides.b, b);
    if (here === undefined && there === undefined) return false;
    if (here !== undefined && there !== undefined) {
      if (!sameButFilled(here, there) || this.#sides.a.ownersOf(here) !== this.#sides.b.ownersOf(there)) return true;
      this.#same += 1;
      return false;
    }
    const derived = there === undefined ? here !== undefined && this.#makers.passes(type, here) : this.#makers.make(type, there);
    if (derived) this.#derived += 1;
    return !derived;
  }

  #settled(side: Side, row: Row | undefined): Row | undefined {
    if (row === undefined) return undefined;
    const drop = side.dropOf(row);
    if (drop === '') return row;
    side.setAside(drop);
    return undefined;
  }

  async #report(candidates: readonly Candidate[]): Promise<DiffReport> {
    const { limit = 1_000 } = this.#options;
    const counts = { added: 0, removed: 0, changed: 0 };
    const types = new Map<string, { added: number; removed: number; changed: number }>();
    for (const candidate of candidates) {
      const change = changeOf(candidate);
      const ofType = types.get(typeName(candidate.type)) ?? { added: 0, removed: 0, changed: 0 };
      types.set(typeName(candidate.type), ofType);
      counts[change] += 1;
      ofType[change] += 1;
    }
    const compared = this.#same + candidates.length;
    this.#options.onProgress?.({ phase: 'compare', done: compared, total: compared, unit: 'objects' });
    return {
      equal: candidates.length === 0,
      a: this.#sides.a.describe(),
      b: this.#sides.b.describe(),
      same: this.#same,
      ...counts,
      derived: this.#derived,
      types: [...types].toSorted(([x], [y]) => (x < y ? -1 : 1)).map(([type, of]) => ({ type, ...of })),
      objects: await this.#explain(candidates.toSorted(byPlace).slice(0, limit)),
      truncated: candidates.length > limit,
      notCompared: this.#notCompared,
    };
  }

  async #explain(candidates: readonly Candidate[]): Promise<DiffObject[]> {
    const objects: DiffObject[] = [];
    for (const [name, ofType] of Map.groupBy(candidates, ({ type }) => typeName(type))) {
      const a = this.#sides.a.types.get(name);
      const b = this.#sides.b.types.get(name);
      const changed = ofType.filter((candidate) => changeOf(candidate) === 'changed').map(keyOfCandidate);
      const details = a === undefined || b === undefined ? undefined : await explainType(this.#sides, { a, b }, changed, this.#options.signal);
      for (const candidate of ofType) {
        const change = changeOf(candidate);
        const object = `${candidate.type.kind} ${keyOfCandidate(candidate)}`;
        objects.push({ type: name, object, change, ...(change === 'changed' ? { differences: this.#allDifferences(candidate, details?.get(keyOfCandidate(candidate))) } : {}) });
      }
    }
    return objects;
  }

  #allDifferences({ a, b }: Candidate, found: DiffObject['differences'] = []): NonNullable<DiffObject['differences']> {
    const owners = { a: a === undefined ? '' : this.#sides.a.ownersOf(a), b: b === undefined ? '' : this.#sides.b.ownersOf(b) };
    return owners.a === owners.b ? found : [...found, { path: 'metadata.ownerReferences', ...owners }];
  }
}

function changeOf({ a, b }: Candidate): DiffObject['change'] {
  if (a === undefined) return 'added';
  return b === undefined ? 'removed' : 'changed';
}

function keyOfCandidate({ a, b }: Candidate): string {
  const row = a ?? b;
  return row === undefined ? '' : objectKey(row.namespace, row.name);
}

function byPlace(x: Candidate, y: Candidate): number {
  return byTypeName(x.type, y.type) || (keyOfCandidate(x) < keyOfCandidate(y) ? -1 : 1);
}
