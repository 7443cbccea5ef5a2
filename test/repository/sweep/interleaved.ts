import type { MaintainKey } from '../../../src/keys/index.ts';
import { decodePoint } from '../../../src/repository/point.ts';
import { decodePointTombstone } from '../../../src/repository/removal/tombstone.ts';
import type { PublicKeys } from '../../../src/keys/index.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';

/** Random numbers that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Waiting {
  readonly actor: Actor;
  readonly go: () => void;
}

/** Something that works on the vaults at the same time as others: a backup, a sweep, a removal. */
export interface Actor {
  readonly began: number;
  /** Resolves when it has ended, however; never when it was killed. */
  readonly ended: Promise<void>;
  readonly isBackup: boolean;
  killed: boolean;
  over: boolean;
}

/** Lets vault operations of several actors happen one at a time, in an order that a seed decides. */
export class Stage {
  readonly #waiting: Waiting[] = [];
  readonly actors: Actor[] = [];
  readonly #random: () => number;
  readonly #now: () => number;

  constructor(random: () => number, now: () => number) {
    this.#random = random;
    this.#now = now;
  }

  /** Begins work with vaults of its own, whose every operation waits for its turn. */
  act(vaults: readonly Vault[], isBackup: boolean, work: (vaults: readonly Vault[]) => Promise<unknown>, onError: (error: unknown) => void): void {
    const turn = () => new Promise<void>((resolve) => this.#waiting.push({ actor, go: resolve }));
    const ended = Promise.resolve().then(() => work(vaults.map((vault) => gated(vault, turn)))).then(() => undefined, onError).finally(() => {
      actor.over = true;
    });
    const actor: Actor = { began: this.#now(), ended, isBackup, killed: false, over: false };
    this.actors.push(actor);
  }

  get alive(): Actor[] {
    return this.actors.filter((actor) => !actor.over && !actor.killed);
  }

  /** One operation of somebody; false when nobody waits for a turn. */
  async step(): Promise<boolean> {
    await this.#settle();
    const ready = this.#waiting.filter(({ actor }) => !actor.killed);
    const next = ready[Math.floor(this.#random() * ready.length)];
    if (next === undefined) return false;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.go();
    await this.#settle();
    return true;
  }

  /** As SIGKILL: whatever it was about to do, it does not. */
  kill(): void {
    const { alive } = this;
    const victim = alive[Math.floor(this.#random() * alive.length)];
    if (victim !== undefined) victim.killed = true;
  }

  /** Waits until everybody who is alive waits for a turn or has been still for a moment: sealing runs in other threads. */
  async #settle(): Promise<void> {
    for (let still = 0, before = -1; still < 3; ) {
      await new Promise((resolve) => setImmediate(resolve));
      const waiting = this.#waiting.filter(({ actor }) => !actor.killed);
      const busy = this.alive.some((actor) => !waiting.some((one) => one.actor === actor));
      still = !busy && waiting.length === before ? still + 1 : 0;
      before = waiting.length;
    }
  }
}

function gated(vault: Vault, turn: () => Promise<void>): Vault {
  return {
    name: vault.name,
    location: vault.location,
    locks: vault.locks,
    put: (key, body, options) => turn().then(() => vault.put(key, body, options)),
    get: (key, options) => turn().then(() => vault.get(key, options)),
    head: (key, options) => turn().then(() => vault.head(key, options)),
    async *list(prefix, options) {
      await turn();
      yield* vault.list(prefix, options);
    },
    retain: (key, until, options) => turn().then(() => vault.retain(key, until, options)),
    delete: (key, options) => turn().then(() => vault.delete(key, options)),
    uncover: (key, options) => turn().then(() => vault.uncover(key, options)),
    close: () => vault.close(),
  };
}

/** Throws when a point that counts lacks a pack, in a vault that has the point. Cheap enough for every step. */
export function requireWhole(vaults: readonly MemoryVault[], keys: PublicKeys & MaintainKey, known: Map<string, readonly string[]>): void {
  for (const vault of vaults) {
    for (const [key, bytes] of vault.objects) {
      const [, site = '', id = ''] = /^points\/([^/]+)\/([^/.]+)$/.exec(key) ?? [];
      if (id === '') continue;
      const removed = vaults.some(({ objects }) => isRemoved(objects.get(`${key}.removed`), { site, id }, keys));
      if (removed) continue;
      const packs = known.get(key) ?? decodePoint(bytes, { repositoryId: keys.repositoryId, site, id }, keys.signingPublicKey).packs.map((pack) => pack.id);
      known.set(key, packs);
      const lost = packs.find((pack) => !vault.objects.has(`packs/${pack.slice(0, 2)}/${pack}`));
      if (lost !== undefined) throw new Error(`${key} in ${vault.name} lacks pack ${lost}`);
    }
  }
}

function isRemoved(bytes: Uint8Array | undefined, name: { readonly site: string; readonly id: string }, keys: PublicKeys): boolean {
  if (bytes === undefined) return false;
  decodePointTombstone(bytes, name, keys);
  return true;
}
