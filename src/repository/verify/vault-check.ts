import { isLifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { sha256Hex } from '../bytes.ts';
import { checkHeader, decodeHeader } from '../header.ts';
import type { RepositoryHeader } from '../header.ts';
import {
  HEADER_KEY,
  INDEX_ID,
  INDEX_PREFIX,
  packKey,
  PACKS_PREFIX,
  pointKey,
  POINTS_PREFIX,
  SHA256_HEX,
  slotKey,
  SLOTS_PREFIX,
  tombstoneKey,
} from '../layout.ts';
import { forEachParallel } from '../parallel.ts';
import { genuineView } from '../originals.ts';
import { decodePoint } from '../point.ts';
import type { Point } from '../point.ts';
import type { PointAccess } from '../point-finder.ts';
import { decodePointTombstone } from '../removal/tombstone.ts';
import type { RemovedPoint } from '../removal/tombstone.ts';
import { checkTombstone } from '../slot-objects.ts';
import { pointNameOf, removedNameOf } from '../vault-contents.ts';
import type { PointName } from '../vault-contents.ts';
import { readObject } from '../vault-io.ts';
import { expectHash } from './expect-hash.ts';
import type { Findings } from './findings.ts';
import { findingOf } from './findings.ts';

/** Small objects read at once. */
const PARALLEL = 8;

/** One vault while it is verified: what is in it, and what turned out to be whole. */
export class VaultCheck {
  readonly vault: Vault;
  /** The same as lifeboat left it: what is examined. */
  readonly view: Vault;
  readonly #findings: Findings;
  readonly #signal: AbortSignal | undefined;
  /** Size of every object, by key. */
  readonly sizes = new Map<string, number>();
  /** Keys of objects that somebody put something over, or hid. What is beneath is what is examined. */
  readonly shadowed = new Set<string>();
  /** Points that are whole and genuine, by their key. */
  readonly points = new Map<string, Point>();
  /** Slots that are whole. */
  readonly slots = new Set<string>();
  readonly tombstones = new Set<string>();
  /** Points that a genuine tombstone says were removed, by their key. */
  readonly removed = new Map<string, RemovedPoint>();
  /** Keys of the objects that were read whole and are as they should be. */
  readonly intact = new Set<string>();
  header: RepositoryHeader | undefined;
  /** Whether another repository is in it: nothing there is ours to change. */
  foreign = false;
  bytesRead = 0;

  constructor(vault: Vault, findings: Findings, signal: AbortSignal | undefined) {
    this.vault = vault;
    this.view = genuineView(vault);
    this.#findings = findings;
    this.#signal = signal;
  }

  get name(): string {
    return this.vault.name;
  }

  /** Lists the vault. Throws what the vault throws. */
  async list(): Promise<void> {
    for await (const { key, size, shadowed } of this.view.list('', { signal: this.#signal })) {
      this.sizes.set(key, size);
      if (shadowed) this.shadowed.add(key);
    }
  }

  /** Lists the vault again, and takes in those of these objects that are there now. */
  async lookAgain(keys: ReadonlySet<string>): Promise<void> {
    for await (const { key, size } of this.view.list('', { signal: this.#signal })) if (keys.has(key)) this.sizes.set(key, size);
  }

  /** A finding for each object that something was put over; anything else that is wrong with it says more. */
  tellShadowed(): void {
    const message = 'Somebody put something over the object, or hid it. Its first version is there, and is what lifeboat reads';
    for (const object of this.shadowed) this.#findings.add({ vault: this.name, object, kind: 'shadowed', message, points: [] });
  }

  async readHeader(keys: PublicKeys | undefined): Promise<void> {
    await this.examine(HEADER_KEY, [], async () => {
      const header = decodeHeader(await this.read(HEADER_KEY));
      this.foreign = keys !== undefined && header.repositoryId !== keys.repositoryId;
      if (keys !== undefined) checkHeader(header, keys);
      this.header = header;
    });
  }

  /** A finding for each rescue file that the header, here or in another vault, names and that is not there. */
  expectRescue(header: RepositoryHeader | undefined): void {
    for (const { key, size } of header?.rescue ?? []) this.expectSize(key, size, []);
  }

  /** Reads the tombstones of points: only genuine ones remove. */
  async readRemovals(access: PublicKeys): Promise<void> {
    await forEachParallel(this.sizes.keys(), PARALLEL, async (key) => {
      const name = key.startsWith(POINTS_PREFIX) ? removedNameOf(key) : undefined;
      if (name === undefined) return;
      await this.examine(key, [], async () => {
        this.removed.set(pointKey(name.site, name.id), decodePointTombstone(await this.read(key), name, access));
      });
    });
  }

  /** Reads every point that was not removed: genuine, in its place, and whole. */
  async readPoints(access: PointAccess, removed: ReadonlyMap<string, RemovedPoint>, onPoint: () => void): Promise<void> {
    await forEachParallel(this.pointNames(), PARALLEL, async (name) => {
      const key = pointKey(name.site, name.id);
      if (removed.has(key)) {
        onPoint();
        return;
      }
      await this.examine(key, [name.id], async () => {
        const place = { repositoryId: access.repositoryId, ...name };
        this.points.set(key, decodePoint(await this.read(key), place, access.signingPublicKey));
      });
      onPoint();
    });
  }

  async readSlots(access: PublicKeys): Promise<void> {
    const keys = [...this.sizes.keys()].filter((key) => key.startsWith(SLOTS_PREFIX));
    await forEachParallel(keys, PARALLEL, async (key) => {
      const [id = '', suffix] = key.slice(SLOTS_PREFIX.length).split('.');
      if (!SHA256_HEX.test(id)) return;
      await this.examine(key, [], async () => {
        const bytes = await this.read(key);
        if (suffix === 'removed') {
          checkTombstone(bytes, id, access);
          this.tombstones.add(id);
        } else {
          expectHash(sha256Hex(bytes), id);
          this.slots.add(id);
        }
      });
    });
  }

  /** Packs, by id. */
  packs(): string[] {
    return this.#ids(PACKS_PREFIX, (id) => SHA256_HEX.test(id), packKey);
  }

  /** Index objects, by id. */
  indexes(): string[] {
    return this.#ids(
      INDEX_PREFIX,
      (id) => INDEX_ID.test(id),
      (id) => `${INDEX_PREFIX}${id}`,
    );
  }

  pointNames(): PointName[] {
    return [...this.sizes.keys()]
      .filter((key) => key.startsWith(POINTS_PREFIX))
      .map(pointNameOf)
      .filter((name) => name !== undefined);
  }

  /** A finding unless the object is there with this size. */
  expectSize(key: string, size: number, points: readonly string[]): void {
    const actual = this.sizes.get(key);
    if (actual === size) return;
    if (actual === undefined) this.missing(key, 'The object is not there', points);
    else if (actual > size) this.damaged(key, `The object has ${actual} bytes and should have ${size}`, points);
    else {
      const message = `The object has ${actual} bytes and should have ${size}`;
      this.#findings.add({ vault: this.name, object: key, kind: 'truncated', message, points });
    }
  }

  /** A finding unless the slot is there or was removed on purpose: `removed` says of which slots any vault knows that. */
  expectSlot(id: string, removed: ReadonlySet<string>): void {
    if (removed.has(id) || this.sizes.has(slotKey(id)) || this.#findings.has(this.name, tombstoneKey(id))) return;
    this.missing(slotKey(id), 'A key slot is not there, and was not removed by lifeboat', []);
  }

  missing(object: string, message: string, points: readonly string[]): void {
    this.#findings.add({ vault: this.name, object, kind: 'missing', message, points });
  }

  damaged(object: string, message: string, points: readonly string[]): void {
    this.#findings.add({ vault: this.name, object, kind: 'damaged', message, points });
  }

  brokenChain(object: string, message: string, points: readonly string[]): void {
    this.#findings.add({ vault: this.name, object, kind: 'chain', message, points });
  }

  /** Runs `work`; what it throws is a finding about the object, except `LB_REPO_NEWER_FORMAT`: then nothing can be judged. */
  async examine(object: string, points: readonly string[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.intact.add(object);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      this.#findings.add(findingOf(error, this.name, object, points));
    }
  }

  async read(key: string): Promise<Uint8Array> {
    const bytes = await readObject(this.view, key, { signal: this.#signal });
    this.bytesRead += bytes.length;
    return bytes;
  }

  #ids(prefix: string, valid: (id: string) => boolean, keyOf: (id: string) => string): string[] {
    const ids: string[] = [];
    for (const key of this.sizes.keys()) {
      if (!key.startsWith(prefix)) continue;
      const id = key.slice(key.lastIndexOf('/') + 1);
      if (valid(id) && keyOf(id) === key) ids.push(id);
    }
    return ids;
  }
}
