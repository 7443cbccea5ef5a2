import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { INDEX_PREFIX, PACKS_PREFIX, pointKey, slotKey } from '../layout.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { liveSlots } from '../slot-objects.ts';
import { listSlotObjects } from '../vault-contents.ts';
import type { PointName } from '../vault-contents.ts';
import { SWEEPABLE } from './mark.ts';
import { readMarks } from './marks.ts';
import type { VaultMarks } from './marks.ts';

/** What a sweep did, or with `dryRun` would do, in one vault. */
export interface VaultSweep {
  readonly vault: string;
  /** Objects that were deleted: packs, index objects, removed points, key slots out of use. */
  readonly deleted: number;
  /** Bytes of the packs and index objects among them. */
  readonly bytes: number;
  /** Objects that a lock holds; a later sweep tries again. */
  readonly locked: number;
  readonly failed: readonly { readonly object: string; readonly code: string; readonly message: string }[];
}

/** One vault while it is swept. */
export class SweptVault {
  readonly vault: Vault;
  readonly #dryRun: boolean;
  readonly #signal: AbortSignal | undefined;
  /** Sizes of packs and index objects, by key. */
  readonly sizes = new Map<string, number>();
  marks: VaultMarks = { pending: [], spent: [] };
  #deleted = 0;
  #bytes = 0;
  #locked = 0;
  readonly #failed: VaultSweep['failed'][number][] = [];

  constructor(vault: Vault, options: { readonly dryRun: boolean; readonly signal: AbortSignal | undefined }) {
    this.vault = vault;
    this.#dryRun = options.dryRun;
    this.#signal = options.signal;
  }

  /** Looks into the vault. Throws what the vault throws. */
  async look(keys: PublicKeys, context: ReadContext): Promise<void> {
    const view = genuineView(this.vault);
    this.marks = await readMarks(view, keys, context);
    for (const prefix of [PACKS_PREFIX, INDEX_PREFIX]) {
      for await (const { key, size } of view.list(prefix, { signal: this.#signal })) if (SWEEPABLE.test(key)) this.sizes.set(key, size);
    }
  }

  /** Deletes a pack or an index object, if it is there. */
  async sweep(key: string): Promise<void> {
    const size = this.sizes.get(key);
    if (size === undefined || !(await this.delete(key))) return;
    this.sizes.delete(key);
    this.#bytes += size;
  }

  /** Deletes points that were removed, and slots that are out of use. */
  async sweepRemoved(points: readonly PointName[], keys: PublicKeys): Promise<void> {
    for (const { site, id } of points) {
      const key = pointKey(site, id);
      if ((await genuineView(this.vault).head(key, { signal: this.#signal })) !== undefined) await this.delete(key);
    }
    const { slots } = await listSlotObjects(genuineView(this.vault), this.#signal);
    const live = await liveSlots(this.vault, keys, this.#signal);
    for (const slot of slots) if (!live.includes(slot)) await this.delete(slotKey(slot));
  }

  /** Whether the object is gone, or, in a dry run, would be. */
  async delete(key: string): Promise<boolean> {
    try {
      if (!this.#dryRun) await this.vault.delete(key, { signal: this.#signal });
      this.#deleted++;
      return true;
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_VAULT_LOCKED')) this.#locked++;
      else this.#failed.push({ object: key, code: isLifeboatError(error) ? error.code : 'LB_INTERNAL', message: messageOf(error) });
      return false;
    }
  }

  get failed(): boolean {
    return this.#failed.length > 0;
  }

  report(): VaultSweep {
    return { vault: this.vault.name, deleted: this.#deleted, bytes: this.#bytes, locked: this.#locked, failed: this.#failed };
  }
}
