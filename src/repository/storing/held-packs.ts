import type { Vault } from '../../vault/vault.ts';
import type { NamedObject } from '../copy-object.ts';

/** A finished pack: in memory as long as some vault is to get it from there. */
export class HeldPack implements NamedObject {
  readonly key: string;
  readonly sha256: string;
  readonly size: number;
  /** Vaults that have it. */
  readonly holders = new Set<Vault>();
  readonly #waiting = new Set<object>();
  readonly #storing = new Set<object>();
  readonly #onUsed: (() => void) | undefined;
  /** Times that lanes began to store it. One that failed may still be reading the bytes, wherever it is stuck. */
  #begun = 0;
  #bytes: Uint8Array | undefined;

  /** `onUsed` is told when every vault that began to store it has it: then nobody reads the bytes any more. */
  constructor(object: Omit<NamedObject, 'size'>, bytes: Uint8Array, onUsed?: () => void) {
    this.key = object.key;
    this.sha256 = object.sha256;
    this.size = bytes.length;
    this.#bytes = bytes;
    this.#onUsed = onUsed;
  }

  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  /** True while it waits for a lane that has not begun to store it. */
  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** It stands in the queue of this lane. */
  queue(lane: object): void {
    this.#storing.delete(lane);
    this.#waiting.add(lane);
  }

  /** This lane begins to store it. */
  begin(lane: object): void {
    this.#waiting.delete(lane);
    this.#storing.add(lane);
    this.#begun++;
  }

  /** This lane does not need it from memory any more. */
  release(lane: object): void {
    this.#waiting.delete(lane);
    this.#storing.delete(lane);
    if (this.#waiting.size + this.#storing.size > 0 || this.#bytes === undefined) return;
    this.#bytes = undefined;
    if (this.#begun === this.holders.size) this.#onUsed?.();
  }
}

/** The packs in memory, oldest first. */
export class HeldPacks {
  readonly #packs = new Set<HeldPack>();

  add(pack: HeldPack): void {
    this.#packs.add(pack);
  }

  /** Those that wait for a lane: what a slow vault costs. (Those being stored are few, whatever the vaults do.) */
  waiting(): HeldPack[] {
    for (const pack of this.#packs) if (pack.bytes === undefined) this.#packs.delete(pack);
    return [...this.#packs].filter((pack) => pack.waits);
  }
}
