import { isLifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { toHex } from '../bytes.ts';
import { otherSize } from '../copy-object.ts';
import { packKey, pointKey } from '../layout.ts';
import type { PackSet } from '../pack-set.ts';
import { packsIn } from '../pack-table.ts';
import { decodeSections } from '../point.ts';
import type { PointName } from '../vault-contents.ts';
import { at, readObject, whereIs } from '../vault-io.ts';
import type { Inventory, Removals } from './inventory.ts';
import type { Problems } from './problems.ts';

/** Points read at once: each may have a pack table of tens of megabytes. */
const PARALLEL = 4;

/** A pack by where it is: its number among those of a source. */
export interface PackPlace {
  readonly source: Inventory;
  readonly number: number;
}

/** A point that a vault is to get, or has and lacks packs of. */
export interface PlannedPoint extends PointName {
  readonly key: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** A vault that has it intact. */
  readonly source: Vault;
  /** False when the vault has the point already. */
  readonly wanted: boolean;
  /** Index objects that the vault lacks, if no newer point follows this one. */
  readonly indexes: readonly string[];
  /** Where the packs end, in the plan's list, that are to be copied before it. */
  readonly packsEnd: number;
}

/** What one vault is to get, newest points first. */
export class TargetPlan {
  readonly target: Inventory;
  readonly points: PlannedPoint[] = [];
  /** Packs that are to be had nowhere, or that the vault has in another size: ids. */
  readonly unobtainable = new Set<string>();
  readonly slots: readonly string[];
  bytes = 0;
  readonly #sources: readonly Inventory[];
  readonly #packs: PackPlace[] = [];
  /** For each source, which of its packs are in the list. */
  readonly #listed = new Map<Inventory, Uint8Array>();

  constructor(target: Inventory, sources: readonly Inventory[], removals: Removals) {
    this.target = target;
    this.#sources = sources.filter((source) => source !== target);
    const slots = new Set(this.#sources.flatMap((source) => [...source.slots]));
    this.slots = [...slots].filter((slot) => !target.slots.has(slot) && !removals.slots.has(slot) && !removals.doubtful.has(slot));
  }

  /** Vaults it may be given something from. */
  get sources(): readonly Inventory[] {
    return this.#sources;
  }

  get packs(): readonly PackPlace[] {
    return this.#packs;
  }

  /** Puts a pack on the list unless the vault has it. */
  needPack(id: Uint8Array, size: number, problems: Problems): void {
    const { packs, vault } = this.target;
    const there = packs.find(id);
    if (there >= 0 && packs.size(there) === size) return;
    const place = this.#find(id, size);
    if (place !== undefined && there < 0) {
      const listed = this.#listedOf(place.source.packs, place.source);
      if (listed[place.number] === 1) return;
      listed[place.number] = 1;
      this.#packs.push(place);
      this.bytes += size;
      return;
    }
    const hex = toHex(id);
    this.unobtainable.add(hex);
    if (there < 0) problems.nowhere(vault, packKey(hex));
    else problems.add(vault, packKey(hex), otherSize(vault, packKey(hex), size, packs.size(there)));
  }

  #find(id: Uint8Array, size: number): PackPlace | undefined {
    for (const source of this.#sources) {
      const number = source.packs.find(id);
      if (number >= 0 && source.packs.size(number) === size) return { source, number };
    }
    return undefined;
  }

  #listedOf(packs: PackSet, source: Inventory): Uint8Array {
    const known = this.#listed.get(source) ?? new Uint8Array(packs.length);
    this.#listed.set(source, known);
    return known;
  }
}

/** What planning takes. */
export interface PlanInput {
  readonly keys: PublicKeys;
  readonly sources: readonly Inventory[];
  readonly targets: readonly Inventory[];
  readonly removals: Removals;
  /** Only points of these sites. */
  readonly sites: ReadonlySet<string> | undefined;
  readonly problems: Problems;
  readonly signal: AbortSignal | undefined;
  readonly onPoint: (done: number, total: number) => void;
}

interface ReadPoint extends PointName {
  readonly key: string;
  readonly size: number;
  readonly source: Vault;
  readonly sha256: string;
  readonly packTable: Uint8Array;
  readonly indexes: readonly string[];
  readonly previous: readonly string[];
}

/** Works out what each target lacks of the points that any source has. Reads every point once, and no pack. */
export async function planAll(input: PlanInput): Promise<readonly TargetPlan[]> {
  const { sources, targets, removals, sites, problems } = input;
  const plans = targets.map((target) => new TargetPlan(target, sources, removals));
  const names = new Map<string, PointName>();
  for (const source of sources) for (const [key, { site, id }] of source.points) names.set(key, { site, id });
  const wanted = [...names]
    .filter(([key, { site }]) => !removals.points.has(key) && !removals.doubtful.has(key) && sites?.has(site) !== false)
    .sort(([, a], [, b]) => (a.id < b.id ? 1 : -1));
  /** Points that a newer one follows. */
  const followed = new Set<string>();
  for (let done = 0; done < wanted.length; done += PARALLEL) {
    const batch = wanted.slice(done, done + PARALLEL);
    const points = await Promise.all(batch.map(([key, name]) => readPoint(key, name, input)));
    for (const point of points) {
      if (point === undefined) continue;
      for (const plan of plans) planPoint(plan, point, !followed.has(point.key), problems);
      for (const previous of point.previous) followed.add(pointKey(point.site, previous));
    }
    input.onPoint(Math.min(wanted.length, done + PARALLEL), wanted.length);
  }
  return plans;
}

function planPoint(plan: TargetPlan, point: ReadPoint, newest: boolean, problems: Problems): void {
  const { target } = plan;
  const before = plan.packs.length;
  for (const { id, size } of packsIn(point.packTable)) plan.needPack(id, size, problems);
  const missing = !target.points.has(point.key);
  const indexes = newest ? point.indexes.filter((id) => !target.indexes.has(id)) : [];
  if (!missing && indexes.length === 0 && plan.packs.length === before) return;
  const { key, site, id, sha256, size, source } = point;
  plan.points.push({ key, site, id, sha256, size, source, wanted: missing, indexes, packsEnd: plan.packs.length });
  if (missing) plan.bytes += size;
}

/** The point from the first source that has it intact, those that lock before others; what is wrong with others is told. */
async function readPoint(key: string, name: PointName, { sources, keys, problems, signal }: PlanInput): Promise<ReadPoint | undefined> {
  const place = { repositoryId: keys.repositoryId, ...name };
  for (const { vault, points } of sources.toSorted((a, b) => Number(b.vault.locks) - Number(a.vault.locks))) {
    if (!points.has(key)) continue;
    try {
      const bytes = await readObject(vault, key, { signal });
      const { header, indexes, packTable, sha256 } = await at(whereIs(vault, key), () => decodeSections(bytes, place, keys.signingPublicKey));
      const previous = header.previous.map(({ id }) => id);
      return { ...name, key, size: bytes.length, source: vault, sha256, packTable, indexes, previous };
    } catch (error) {
      signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      problems.add(vault, key, error);
    }
  }
  return undefined;
}
