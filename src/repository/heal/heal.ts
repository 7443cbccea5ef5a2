import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { OnProgress } from '../../core/progress.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Repair } from '../api.ts';
import { packKey, SLOTS_PREFIX } from '../layout.ts';
import { forEachParallel } from '../parallel.ts';
import { readObject } from '../vault-io.ts';
import type { Examination } from '../verify/examine.ts';
import { allSlots } from '../verify/references.ts';
import type { VaultCheck } from '../verify/vault-check.ts';
import { planRepairs } from './plan.ts';
import type { Target, Task } from './plan.ts';
import { proofFor } from './proof.ts';
import type { Proof } from './proof.ts';
import { bringIn, proves, remove } from './replace.ts';
import type { Intact, Outcome } from './replace.ts';
import { uncover } from './uncover.ts';

/** `dry-run`: say what could be healed, and change nothing. */
export type HealMode = 'heal' | 'dry-run';

/** Objects healed at once: each is held in memory. */
const PARALLEL = 3;

interface HealOptions {
  /** How long what is put into a vault is locked there, ms, by the vault's name; only where it locks. */
  readonly locks?: ReadonlyMap<string, number>;
  readonly clock?: Clock;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Repairs what was found lost, damaged or forged in one vault from another, object by object, as ciphertext: no key opens
 * anything here. Gives what became of each. `requireCertainty` comes before.
 */
export async function heal(examination: Examination, mode: HealMode, options: HealOptions): Promise<Repair[]> {
  const stages = planRepairs(examination);
  const shadowed = examination.checks.reduce((sum, check) => sum + (check.foreign ? 0 : check.shadowed.size), 0);
  const total = stages.reduce((sum, stage) => sum + stage.length, shadowed);
  if (total === 0) return [];
  return new Healing(examination, mode, options).run(stages, total);
}

/**
 * Throws `LB_KEY_MISSING` when it is not certain which vault tells the truth: without a key a vault that somebody made anew looks
 * as genuine as the others.
 */
export function requireCertainty({ certain }: Examination): void {
  if (certain) return;
  throw new LifeboatError('LB_KEY_MISSING', 'Without a key it is not certain which vault tells the truth, and nothing is replaced', {
    hint: 'Give any key of the repository: a passphrase, an identity, or an exported key; or name the write key in lifeboat.yaml.',
  });
}

/** One run. */
class Healing {
  readonly #examination: Examination;
  readonly #dryRun: boolean;
  readonly #options: HealOptions;
  readonly #removedSlots: ReadonlySet<string>;
  readonly #repairs: Repair[] = [];
  /** What vaults lack or have damaged still, by key. */
  readonly #wrong = new Map<string, Set<VaultCheck>>();
  #done = 0;
  #bytes = 0;

  constructor(examination: Examination, mode: HealMode, options: HealOptions) {
    this.#examination = examination;
    this.#dryRun = mode === 'dry-run';
    this.#options = options;
    this.#removedSlots = allSlots(examination.checks).removed;
  }

  async run(stages: readonly (readonly Task[])[], total: number): Promise<Repair[]> {
    for (const { key, targets } of stages.flat()) this.#wrong.set(key, new Set(targets.map(({ check }) => check)));
    const did = (): void => {
      this.#done++;
      this.#options.onProgress?.({ phase: 'heal', done: this.#done, total, unit: 'objects', bytes: this.#bytes });
    };
    for (const check of this.#examination.checks) {
      await forEachParallel(check.foreign ? [] : check.shadowed, PARALLEL, async (key) => {
        this.#options.signal?.throwIfAborted();
        const { signal, clock = systemClock, locks } = this.#options;
        const lock = locks?.get(check.name);
        const retainUntil = lock === undefined ? undefined : new Date(clock.now() + lock);
        const outcome = await uncover(check.vault, key, { dryRun: this.#dryRun, retainUntil, signal });
        // Where something is wrong with the first version as well, what becomes of that is told below.
        if (this.#wrong.get(key)?.has(check) !== true) this.#tell(key, { check, points: [] }, outcome);
        did();
      });
    }
    for (const stage of stages) {
      await forEachParallel(stage, PARALLEL, async (task) => {
        this.#options.signal?.throwIfAborted();
        await this.#one(task);
        did();
      });
    }
    this.#options.signal?.throwIfAborted();
    return this.#repairs.sort((a, b) => (`${a.vault} ${a.object}` < `${b.vault} ${b.object}` ? -1 : 1));
  }

  async #one({ key, targets }: Task): Promise<void> {
    const foreign = targets.filter(({ check }) => check.foreign);
    for (const target of foreign) this.#tell(key, target, { outcome: 'kept', message: 'This vault holds another repository' });
    const open = targets.filter(({ check }) => !check.foreign);
    if (open.length === 0) return;
    if (this.#removedSlots.has(key.slice(SLOTS_PREFIX.length))) return this.#deadSlot(key, open);
    const prove = proofFor(key, this.#examination);
    const intact = prove && (await this.#find(key, prove, targets));
    if (prove === undefined || intact === undefined) {
      for (const target of open) this.#tell(key, target, { outcome: 'lost', message: 'No vault has it intact' });
      return;
    }
    const holders = new Set([intact.vault]);
    // Those that lack it first; the vault whose own first version is all there is comes last: by then others may hold it.
    const order = (check: VaultCheck): number => (check.vault === intact.vault ? 2 : check.sizes.has(key) ? 1 : 0);
    for (const target of open.toSorted((a, b) => order(a.check) - order(b.check))) {
      const { signal, clock = systemClock, locks } = this.#options;
      const lock = locks?.get(target.check.name);
      const outcome: Outcome = this.#ready(key, target.check)
        ? await bringIn(target.check.vault, key, intact, { prove, holders, lock, clock, dryRun: this.#dryRun, signal })
        : { outcome: 'waiting', message: 'Not everything that the point needs could be brought to this vault' };
      if (outcome.outcome === 'healed') {
        holders.add(target.check.vault);
        this.#bytes += intact.bytes.length;
      }
      this.#tell(key, target, outcome, intact);
    }
  }

  /** A slot that was removed on purpose and is damaged needs no other copy: it goes. */
  async #deadSlot(key: string, targets: readonly Target[]): Promise<void> {
    for (const target of targets) {
      const refused = this.#dryRun ? { outcome: 'possible' as const } : await remove(target.check.vault, key, undefined, this.#options.signal);
      this.#tell(key, target, refused ?? { outcome: 'healed', message: 'The slot was removed on purpose, and is deleted' });
    }
  }

  /** A point comes last: only when the vault has all of its packs. */
  #ready(key: string, check: VaultCheck): boolean {
    const point = this.#examination.known.get(key);
    return point === undefined || point.packs.every((pack) => this.#wrong.get(packKey(pack.id))?.has(check) !== true);
  }

  /** The object from the first vault that has it intact; else the first version of it that some store still has. */
  async #find(key: string, prove: Proof, targets: readonly Target[]): Promise<Intact | undefined> {
    const bad = new Set(targets.map(({ check }) => check));
    const others = this.#examination.checks.filter((check) => !check.foreign && !bad.has(check) && check.sizes.has(key));
    for (const { vault } of others) {
      const bytes = await this.#read(vault, key, false);
      if (bytes !== undefined && (await proves(prove, bytes))) return { bytes, vault };
    }
    for (const { vault, foreign } of this.#examination.checks) {
      const bytes = foreign ? undefined : await this.#read(vault, key, true);
      if (bytes !== undefined && (await proves(prove, bytes))) return { bytes, vault };
    }
    return undefined;
  }

  async #read(vault: Vault, key: string, original: boolean): Promise<Uint8Array | undefined> {
    const { signal } = this.#options;
    try {
      return await readObject(vault, key, { signal, ...(original && { original }) });
    } catch {
      signal?.throwIfAborted();
      return undefined;
    }
  }

  #tell(key: string, { check, points }: Target, outcome: Outcome, intact?: Intact): void {
    if (outcome.outcome === 'healed' || outcome.outcome === 'possible') this.#wrong.get(key)?.delete(check);
    const from = intact?.vault.name;
    this.#repairs.push({ vault: check.name, object: key, ...outcome, ...(from !== undefined && { from }), points });
  }
}
