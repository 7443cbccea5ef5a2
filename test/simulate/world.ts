import { createHash } from 'node:crypto';
import type { Warning } from '../../src/core/progress.ts';
import { createRepository } from '../../src/repository/index.ts';
import { withLock } from '../../src/vault/locking.ts';
import { withRetry } from '../../src/vault/retry.ts';
import { withSilenceLimit } from '../../src/vault/silence.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { randomFrom } from '../survival/random.ts';
import type { Random } from '../survival/random.ts';
import { between, happens, weighed } from './chance.ts';
import { KEYS, SLOTS } from './keys.ts';
import { Ledger } from './ledger.ts';
import { Machine } from './machine/machine.ts';
import { Program } from './program.ts';
import type { Fate } from './program.ts';
import { RemoteVault } from './remote.ts';
import { SimulatedSite } from './site.ts';
import { Store } from './store.ts';

const STARTS_AT = Date.parse('2026-03-14T02:15:00.000Z');
const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
/** What drivers wait for an answer. */
const SILENCE = 30_000;

/** How long a program is halted at most: a backup may take a day, all in all. */
const MOST_HALTED = 20 * HOUR;
/** What clocks are ahead or behind at most, where they are. */
const MOST_SKEWED = 2 * HOUR;

/** Who is told what happens. */
export interface Listener {
  step?(line: string): void;
  call?(line: string): void;
}

/** One seed's world: vaults, sites, the machine that lifeboat runs on, and what is true. */
export class World {
  readonly random: Random;
  readonly machine = new Machine(STARTS_AT);
  readonly ledger = new Ledger();
  readonly stores: readonly Store[];
  readonly sites: readonly SimulatedSite[];
  /** Vaults that must hold a point for it to be safe. */
  readonly copies: number;
  /** How long plans lock what they store, ms. */
  readonly lock: number | undefined;
  /** Points are removed soon, and swept, while backups run. */
  readonly tidy: boolean;
  readonly #retry: boolean;
  readonly #skewed: boolean;
  readonly #listener: Listener;
  readonly #course = createHash('sha256');
  #programs = 0;

  constructor(seed: number, listener: Listener) {
    const random = randomFrom(Math.imul(seed, 0x9e3779b1));
    this.random = random;
    this.#listener = listener;
    const count = weighed(random, [[1, 1], [4, 2], [10, 3], [4, 4]]);
    this.copies = count === 1 ? 1 : weighed(random, [[1, 1], [8, 2], [3, count]]);
    this.lock = happens(random, 0.3) ? between(random, 2, 10) * 24 * HOUR : undefined;
    this.stores = ['a', 'b', 'c', 'd'].slice(0, count).map((name) => {
      const locks = this.lock !== undefined && happens(random, 0.7);
      return new Store(name, this.ledger, { locks, now: () => this.machine.now() });
    });
    this.ledger.watch(this.stores);
    this.tidy = happens(random, 0.3);
    this.#retry = happens(random, 0.7);
    this.#skewed = happens(random, 0.2);
    const bulky = happens(random, 0.04) ? between(random, 60, 160) : 0;
    const sites = happens(random, 0.2) ? ['prod', 'test'] : ['prod'];
    this.sites = sites.map((name, i) => new SimulatedSite(name, randomFrom(between(random, 0, 2 ** 31)), i === 0 ? bulky : 0));
  }

  /** Makes the repository. */
  async found(): Promise<void> {
    const locking = this.stores.filter(({ memory }) => memory.locks).map(({ name }) => name);
    this.tell(`${this.stores.length} vaults, ${this.copies} copies${locking.length > 0 ? `, ${locking.join()} lock for ${(this.lock ?? 0) / HOUR} h` : ''}`);
    await createRepository({ vaults: this.vaults(this.program('init')), keys: KEYS, slots: SLOTS });
  }

  /** A lifeboat, which may be meant to be killed, or halted, on its way. */
  program(name: string, options: { readonly mayBeKilled?: boolean } = {}): Program {
    const { random } = this;
    const at = Math.ceil(2 ** (random.next() * 8));
    const what = weighed<Fate['what'] | undefined>(random, [[16, undefined], [2, 'killed before'], [2, 'killed after'], [1, random.next() * MOST_HALTED]]);
    const fate = options.mayBeKilled !== true || what === undefined ? undefined : { at, what };
    const skew = this.#skewed ? Math.round((random.next() * 2 - 1) * MOST_SKEWED) : 0;
    return new Program(`${name} ${++this.#programs}`, skew, fate);
  }

  /** The vaults as a program reaches them; with `locked` as a backup stores into them. */
  vaults(program: Program, options: { readonly locked?: boolean; readonly stores?: readonly Store[] } = {}): Vault[] {
    const { machine, random, ledger, lock } = this;
    return (options.stores ?? this.stores).map((store) => {
      const remote = new RemoteVault({ store, program, machine, random, ledger, trace: (line) => this.#trace(line) });
      const patient = withSilenceLimit(remote, SILENCE);
      const vault = this.#retry ? withRetry(patient, { random: () => random.next() }) : patient;
      return options.locked === true && lock !== undefined ? withLock(vault, lock) : vault;
    });
  }

  tell(line: string): void {
    const at = new Date(this.machine.now()).toISOString().slice(0, 19);
    this.#course.update(`${at} ${line}\n`);
    this.#listener.step?.(`${at} ${line}`);
  }

  /** For what lifeboat warns of: part of its course, and of interest only with every call. */
  readonly warn = (warning: Warning): void => this.#trace(`warning ${warning.kind}: ${warning.message}`);

  #trace(line: string): void {
    this.#course.update(`${line}\n`);
    this.#listener.call?.(line);
  }

  /** A digest of everything that happened, and of what the vaults hold. */
  course(): string {
    return this.#course.copy().update(this.ledger.digest()).digest('hex');
  }
}
