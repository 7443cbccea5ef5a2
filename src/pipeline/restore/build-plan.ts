import { collectFacts, withDefinitionsOf } from '../../adapt/facts.ts';
import type { Facts } from '../../adapt/facts.ts';
import { objectKey } from '../../adapt/json.ts';
import type { NamespaceMap } from '../../adapt/rename.ts';
import { readRow } from '../../adapt/row.ts';
import type { Row } from '../../adapt/row.ts';
import { systemClock } from '../../core/clock.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { Warning } from '../../core/progress.ts';
import { discover } from '../../site/discover.ts';
import type { Discovery } from '../../site/discover.ts';
import { isRefusal } from '../../site/errors.ts';
import { typeName } from '../../site/types.ts';
import type { CutType, ResourceType } from '../../site/types.ts';
import { draft } from './draft.ts';
import type { Draft } from './draft.ts';
import { readExisting } from './existing.ts';
import { finishPlan } from './finish-plan.ts';
import { mapType } from './map-types.ts';
import type { TypeMapping } from './map-types.ts';
import { definitionsNeeded, draftNeeded, madeUpNamespaces, namespacesNeeded } from './needs.ts';
import type { Needed } from './needs.ts';
import { renamesOf, resolveOptions } from './options.ts';
import type { ResolvedOptions } from './options.ts';
import { linkOwners } from './owners.ts';
import type { PlanType, RestorePlan } from './plan.ts';
import type { Phase } from './run.ts';
import type { RestoreRequest } from './request.ts';
import { objectFilter } from '../select.ts';
import type { ObjectFilter } from '../select.ts';
import { nothingSelected, refuseUnknownTypes, SelectionCheck } from '../selection-check.ts';
import { targetDefinitions } from './target.ts';
import { waveNumber, waveOf } from './waves.ts';

/** A plan, and what making it found out that applying it needs too. */
export interface PreparedPlan {
  readonly plan: RestorePlan;
  /** Facts about the source, with definitions it lacks taken from the target. */
  readonly facts: Facts;
  readonly phases: readonly Phase[];
}

const NAMESPACES: ResourceType = { group: '', version: 'v1', resource: 'namespaces', kind: 'Namespace', namespaced: false };
const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';
const NOTHING: ReadonlyMap<string, Row> = new Map();
/** Progress is told once for so many objects. */
const PROGRESS_STEP = 256;

/**
 * Makes the plan of a restore: reads the source and what is in the target, and writes nothing.
 * Throws `LB_USAGE` for options that make no sense or name what the source does not have, and what reading throws.
 */
export async function planRestore(request: RestoreRequest): Promise<RestorePlan> {
  return (await preparePlan(request)).plan;
}

/** As `planRestore`, with what applying the plan needs as well. */
export async function preparePlan(request: RestoreRequest): Promise<PreparedPlan> {
  const options = resolveOptions(request.options ?? {});
  const { source, target, signal } = request;
  const times = [systemClock.now()];
  const sourceFacts = await collectFacts(source, signal);
  times.push(systemClock.now());
  const discovery = await discover(target, { signal });
  const facts = { ...withDefinitionsOf(sourceFacts, await targetDefinitions(target, discovery, signal)), ...(request.drill !== undefined && { drill: request.drill }) };
  times.push(systemClock.now());
  const plan = await new Planner(request, options, facts, discovery).plan();
  times.push(systemClock.now());
  const phases = (['load', 'discover', 'plan'] as const).map((name, index) => ({ name, seconds: ((times[index + 1] ?? 0) - (times[index] ?? 0)) / 1000 }));
  return { plan, facts, phases };
}

class Planner {
  readonly #facts: Facts;
  readonly #discovery: Discovery;
  readonly #request: RestoreRequest;
  readonly #options: ResolvedOptions;
  readonly #filter: ObjectFilter;
  readonly #rename: NamespaceMap;
  /** Objects to read, as far as types alone tell. */
  readonly #total: number;
  readonly #types: PlanType[] = [];
  readonly #mappings: TypeMapping[] = [];
  readonly #warnings: Warning[] = [];
  readonly #check = new SelectionCheck();
  #read = 0;

  constructor(request: RestoreRequest, options: ResolvedOptions, facts: Facts, discovery: Discovery) {
    this.#request = request;
    this.#options = options;
    this.#filter = objectFilter(options);
    this.#rename = renamesOf(options);
    this.#total = request.source.summary.types.reduce((sum, type) => sum + (this.#filter.hasType(type) ? type.count : 0), 0);
    this.#facts = facts;
    this.#discovery = discovery;
  }

  async plan(): Promise<RestorePlan> {
    const { source, target, signal } = this.#request;
    if (this.#filter.wanted.length === 0) refuseUnknownTypes(this.#options.selection, source.summary.types, source.label);
    const drafts: Draft[] = [];
    let namespaces: Needed | undefined;
    let definitions: Needed | undefined;
    for (const type of source.summary.types) {
      const name = typeName(type);
      // Read whether they are selected or not: what is selected may need them.
      if (name === 'namespaces') namespaces = await this.#readNeeded(type);
      else if (name === DEFINITIONS) definitions = await this.#readNeeded(type);
      else if (type.count > 0 && this.#filter.hasType(type)) await this.#readType(type, drafts);
    }
    namespaces ??= await this.#readNeeded({ ...NAMESPACES, count: 0, bytes: 0, fidelity: 'missing' });
    if (definitions !== undefined) {
      drafts.push(...draftNeeded(definitions, waveNumber('definitions'), definitionsNeeded(drafts, this.#types, this.#mappings)));
    }
    const wanted = namespacesNeeded(drafts);
    drafts.push(...draftNeeded(namespaces, waveNumber('namespaces'), wanted), ...madeUpNamespaces(wanted, namespaces));
    this.#checkAllFound(drafts, namespaces);
    const lookElsewhere = this.#filter.restricts || Object.keys(source.summary.selection).length > 0;
    const owners = await linkOwners(drafts, { connection: target, discovery: this.#discovery, signal }, { existing: this.#options.existing, lookElsewhere });
    const plan = finishPlan({ request: this.#request, options: this.#options, filter: this.#filter, types: this.#types, drafts, owners, warnings: this.#warnings });
    const planned = plan.entries.length;
    this.#request.onProgress?.({ phase: 'plan', done: planned, total: planned, unit: 'objects' });
    return plan;
  }

  async #readType(type: CutType, drafts: Draft[]): Promise<void> {
    const custom = this.#facts.customTypes.has(typeName(type));
    const place = this.#addType(type);
    const mapping = this.#mappingOf(place);
    const rows: Row[] = [];
    for await (const row of this.#rows(type)) rows.push(row);
    // What is dropped anyway (events, pods of controllers) need not be looked for in the target.
    const existing = rows.some((row) => row.drop === '') ? await this.#existing(type, mapping) : NOTHING;
    for (const row of rows) {
      const found = existing.get(objectKey(row.namespace, row.name));
      drafts.push(draft(row, { type: place, wave: waveOf(type, custom, row.exceeded) }, mapping, found));
    }
  }

  /** Reads all rows of a type that others need, and notes which are selected. */
  async #readNeeded(type: CutType): Promise<Needed> {
    const place = this.#addType(type);
    const mapping = this.#mappingOf(place);
    const rows: Needed['rows'][number][] = [];
    const selected = new Set<string>();
    const selects = this.#filter.hasType(type);
    if (type.count > 0) {
      if (selects) for await (const row of this.#rows(type)) selected.add(row.name);
      for await (const row of this.#rows(type, true)) rows.push({ row, selected: selected.has(row.name) });
    }
    return { type: place, mapping, rows, existing: await this.#existing(type, mapping) };
  }

  async *#rows(type: CutType, all = false): AsyncGenerator<Row> {
    const { source, signal, onProgress } = this.#request;
    const selects = all ? {} : { selects: (object: Parameters<ObjectFilter['has']>[1]) => this.#check.note(type, object, this.#filter.has(type, object)) };
    for await (const bytes of source.objects(type, { signal })) {
      const row = readRow(bytes, type, this.#facts, { ...selects, rename: this.#rename });
      if (row !== undefined) yield row;
      this.#read += all ? 0 : 1;
      if (this.#read % PROGRESS_STEP === 0) onProgress?.({ phase: 'plan', done: this.#read, total: this.#total, unit: 'objects', detail: typeName(type) });
    }
  }

  #addType({ group, version, resource, kind, namespaced }: CutType): number {
    const type = { group, version, resource, kind, namespaced };
    const mapping = mapType(type, this.#discovery, this.#facts);
    this.#mappings.push(mapping);
    return this.#types.push({ ...type, targetVersion: mapping.kind === 'unsupported' ? '' : mapping.version }) - 1;
  }

  #mappingOf(place: number): TypeMapping {
    return this.#mappings[place] ?? { kind: 'unsupported', reason: 'the target does not serve this type' };
  }

  async #existing(type: ResourceType, mapping: TypeMapping): Promise<ReadonlyMap<string, Row>> {
    if (mapping.kind !== 'served') return NOTHING;
    const { target, signal } = this.#request;
    try {
      return await readExisting(target, { ...type, version: mapping.version }, this.#facts, { namespaces: this.#targetNamespaces(), signal });
    } catch (error) {
      // Without the right to look nothing can be compared. A type that is out of order shows it when it is written to.
      if (!isRefusal(error) || isRefusal(error, 401, 403)) throw error;
      this.#warnings.push({ kind: 'type-not-readable', message: `What is in the target could not be read: ${messageOf(error)}`, where: typeName(type) });
      return NOTHING;
    }
  }

  /** The namespaces of the target that objects go into, when they are known by name: then nothing else is read there. */
  #targetNamespaces(): readonly string[] | undefined {
    const { selection, objects } = this.#options;
    const named = objects.length > 0 ? this.#filter.wanted.map(({ namespace }) => namespace).filter((name) => name !== '') : (selection.namespaces ?? []);
    if (named.length === 0 || named.some((name) => name.includes('*'))) return undefined;
    return [...new Set(named.map((name) => this.#rename.get(name) ?? name))];
  }

  /** Refuses names that the source does not have: nothing would be done about them, and it would look like success. */
  #checkAllFound(drafts: readonly Draft[], namespaces: Needed): void {
    const { source } = this.#request;
    const missing = this.#filter.wanted.filter(
      ({ namespace, name }) => !drafts.some(({ row }) => row.sourceName === name && row.sourceNamespace === namespace),
    );
    if (missing.length > 0) {
      throw new LifeboatError('LB_USAGE', `${source.label} has no ${missing.map(({ text }) => text).join(', ')}`, {
        hint: 'List what it has with `lifeboat show`.',
      });
    }
    for (const { row } of namespaces.rows) this.#check.namespaces.add(row.sourceName);
    if (this.#filter.wanted.length === 0) {
      this.#check.refuseNamespaces(this.#check.unseen(this.#options.selection), source.label);
      if (this.#filter.restricts && this.#check.selected === 0) {
        throw nothingSelected(source.label, source.summary.types.filter((type) => type.fidelity === 'missing' && this.#filter.hasType(type)));
      }
    }
    this.#checkRenames(drafts, namespaces);
  }

  #checkRenames(drafts: readonly Draft[], namespaces: Needed): void {
    const { source } = this.#request;
    const used = new Set(drafts.map(({ row, type }) => (type === namespaces.type ? row.sourceName : row.sourceNamespace)));
    const unused = Object.keys(this.#options.renameNamespaces).filter((name) => !used.has(name));
    this.#check.refuseNamespaces(unused.filter((name) => !this.#check.namespaces.has(name)), source.label);
    if (unused.length === 0) return;
    throw new LifeboatError('LB_USAGE', `Nothing that is restored is in namespace ${unused.join(', ')}, which is to be renamed`, {
      hint: 'Select it too, or leave its new name out.',
    });
  }
}
