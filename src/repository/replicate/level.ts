import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { toHex } from '../bytes.ts';
import { confirmStored } from '../confirm.ts';
import { copyNamed } from '../copy-object.ts';
import type { NamedObject } from '../copy-object.ts';
import { HEADER_KEY, indexHash, indexKey, packKey, slotKey, tombstoneKey } from '../layout.ts';
import { packsIn } from '../pack-table.ts';
import { forEachParallel } from '../parallel.ts';
import { decodeSections } from '../point.ts';
import { pointTombstoneKey } from '../removal/tombstone.ts';
import { pointNameOf } from '../vault-contents.ts';
import { readNamed, readObject, whereIs } from '../vault-io.ts';
import type { Health } from './health.ts';
import type { Inventory, Removals } from './inventory.ts';
import type { Participants } from './participants.ts';
import type { PackPlace, PlannedPoint, TargetPlan } from './plan.ts';
import type { Problems } from './problems.ts';
import { copyRescueFiles } from './rescue.ts';

/** Packs on their way into a vault at once. */
const PACKS_AT_ONCE = 4;
/** Small objects likewise. */
const SMALL_AT_ONCE = 8;
/** Points appear whenever so many bytes of packs were copied: neither one by one nor all at the end. */
const BATCH_BYTES = 256 * 1024 * 1024;

/** What all targets share. */
export interface Shared {
  readonly participants: Participants;
  readonly removals: Removals;
  readonly problems: Problems;
  readonly health: Health;
  readonly signal: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

/** What was copied into a vault. */
export interface Copied {
  readonly points: number;
  readonly packs: number;
  /** All objects, points and packs among them. */
  readonly objects: number;
  readonly bytes: number;
}

/** Brings one vault level, in the order of writing: what makes the repository, then packs, index objects and points. */
export class Leveller {
  readonly #plan: TargetPlan;
  readonly #shared: Shared;
  readonly #vault: Vault;
  readonly #copied = { points: 0, packs: 0, objects: 0, bytes: 0 };
  /** Packs it does not get. */
  readonly #without: Set<string>;
  #complete = true;

  constructor(plan: TargetPlan, shared: Shared) {
    this.#plan = plan;
    this.#shared = shared;
    this.#vault = plan.target.vault;
    this.#without = new Set(plan.unobtainable);
  }

  get copied(): Copied {
    return { ...this.#copied };
  }

  /** Resolves to whether the vault has everything now. Throws what the vault throws, or a source when none answers any more. */
  async run(): Promise<boolean> {
    await this.#makeRepository();
    for (const { packs, points } of batchesOf(this.#plan)) {
      const stored = new Map<string, number>();
      await forEachParallel(packs, PACKS_AT_ONCE, (place) => this.#copyPack(place, stored));
      await confirmStored(this.#vault, stored, this.#shared.signal);
      const indexes = new Set(points.flatMap((point) => point.indexes));
      await forEachParallel(indexes, SMALL_AT_ONCE, (id) =>
        this.#copySmall({ key: indexKey(id), sha256: indexHash(id) }, ({ indexes: held }) => held.has(id)),
      );
      await forEachParallel(points, PACKS_AT_ONCE, (point) => this.#copyPoint(point));
    }
    return this.#complete && this.#without.size === 0;
  }

  /** What a vault has before anything else, in this order; whatever of it is there already stays as it is. */
  async #makeRepository(): Promise<void> {
    const { participants, removals, problems, signal } = this.#shared;
    const { target, sources, slots } = this.#plan;
    const files = await copyRescueFiles(target, sources, participants.header, { problems, signal });
    for (const bytes of files.values()) this.#count(bytes);
    for (const [slot, bytes] of removals.slots) if (!target.removedSlots.has(slot)) await this.#put(tombstoneKey(slot), bytes);
    for (const [key, bytes] of removals.points) {
      const name = pointNameOf(key);
      if (name !== undefined && !target.removedPoints.has(key)) await this.#put(pointTombstoneKey(name.site, name.id), bytes);
    }
    await forEachParallel(slots, SMALL_AT_ONCE, (id) => this.#copySmall({ key: slotKey(id), sha256: id }, (source) => source.slots.has(id)));
    if (!participants.bare.has(this.#vault)) return;
    if ((await this.#put(HEADER_KEY, participants.headerBytes)) === 'created') return;
    const there = await readObject(this.#vault, HEADER_KEY, { signal });
    if (!Buffer.from(there).equals(participants.headerBytes)) {
      throw new LifeboatError('LB_REPO_EXISTS', `Vault "${this.#vault.name}" was given another repository meanwhile`, {
        where: whereIs(this.#vault, HEADER_KEY),
      });
    }
  }

  async #copyPack({ source, number }: PackPlace, stored: Map<string, number>): Promise<void> {
    const [id, size] = [source.packs.id(number), source.packs.size(number)];
    const key = packKey(id);
    const raw = Buffer.from(id, 'hex');
    const holders = this.#plan.sources.filter(({ packs }) => packs.has(raw, size));
    if (await this.#copy({ key, sha256: id, size }, holders)) {
      stored.set(key, size);
      this.#copied.packs++;
      this.#shared.onBytes(size);
    } else this.#without.add(id);
  }

  async #copySmall(object: NamedObject, has: (source: Inventory) => boolean): Promise<void> {
    if (!(await this.#copy(object, this.#plan.sources.filter(has)))) this.#complete = false;
  }

  /** Whether the vault got it; if not, why is among the problems. */
  async #copy(object: NamedObject, holders: readonly Inventory[]): Promise<boolean> {
    const { health, problems, signal } = this.#shared;
    const sources = health.usable(holders.map(({ vault }) => vault));
    const onProblem = (source: Vault, error: unknown): void => {
      health.failed(source, error);
      problems.add(source, object.key, error);
    };
    try {
      const source = await copyNamed(object, sources, this.#vault, { signal, onProblem });
      if (source !== undefined) {
        health.answered(source);
        this.#count(object.size ?? 0);
        return true;
      }
      problems.nowhere(this.#vault, object.key);
    } catch (error) {
      // Something else stands there under this name, and nothing is overwritten.
      if (!isLifeboatError(error, 'LB_REPO_DAMAGED')) throw error;
      problems.add(this.#vault, object.key, error);
    }
    return false;
  }

  async #copyPoint(point: PlannedPoint): Promise<void> {
    if (!point.wanted || !(await this.#hasPacksOf(point))) return;
    const { key, sha256, size } = point;
    const holders = this.#plan.sources.filter(({ points }) => points.has(key));
    if (await this.#copy({ key, sha256, size }, holders)) {
      this.#copied.points++;
      this.#shared.onBytes(size);
    } else this.#complete = false;
  }

  /** Whether the vault got every pack that the point needs. */
  async #hasPacksOf({ key, site, id, sha256, source }: PlannedPoint): Promise<boolean> {
    if (this.#without.size === 0) return true;
    const { participants, signal } = this.#shared;
    const { repositoryId, signingPublicKey } = participants.header;
    const bytes = await readNamed(source, key, sha256, signal);
    const { packTable } = decodeSections(bytes, { repositoryId, site, id }, signingPublicKey);
    for (const pack of packsIn(packTable)) if (this.#without.has(toHex(pack.id))) return false;
    return true;
  }

  async #put(key: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const outcome = await this.#vault.put(key, bytes, { signal: this.#shared.signal });
    if (outcome === 'created') this.#count(bytes.length);
    return outcome;
  }

  #count(bytes: number): void {
    this.#copied.objects++;
    this.#copied.bytes += bytes;
  }
}

interface Batch {
  readonly packs: readonly PackPlace[];
  readonly points: readonly PlannedPoint[];
}

/** The points of a plan in portions, each with the packs that are to be copied before. */
function* batchesOf(plan: TargetPlan): Generator<Batch, void, undefined> {
  let points: PlannedPoint[] = [];
  let [from, to, bytes] = [0, 0, 0];
  for (const point of plan.points) {
    points.push(point);
    for (const { source, number } of plan.packs.slice(to, point.packsEnd)) bytes += source.packs.size(number);
    to = point.packsEnd;
    if (bytes < BATCH_BYTES) continue;
    yield { packs: plan.packs.slice(from, to), points };
    points = [];
    [from, bytes] = [to, 0];
  }
  if (points.length > 0) yield { packs: plan.packs.slice(from, to), points };
}
