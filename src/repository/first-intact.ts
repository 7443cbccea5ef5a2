import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Vault } from '../vault/vault.ts';
import { packKey } from './layout.ts';
import type { PackRef } from './pack-table.ts';
import { whereIs } from './vault-io.ts';

/** Says that a part of a pack is damaged in a vault, and nothing of its other parts. */
export class PartDamaged extends LifeboatError {
  constructor(message: string) {
    super('LB_REPO_DAMAGED', message);
  }
}

interface Reading {
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** Asks one vault after the other for a pack, and remembers those in which it turned out missing or damaged. */
export class FirstIntact {
  readonly #vaults: readonly Vault[];
  readonly #signal: AbortSignal | undefined;
  /** Packs, per vault, that are not tried again. */
  readonly #bad = new Map<Vault, Set<string>>();

  constructor(vaults: readonly Vault[], signal: AbortSignal | undefined) {
    this.#vaults = vaults;
    this.#signal = signal;
  }

  /**
   * The first vault's answer; the next one is asked, with a warning, when the pack is missing or damaged in it or the vault fails.
   * Throws `LB_REPO_DAMAGED` naming the pack and every vault when none has it intact, `LB_REPO_NEWER_FORMAT` when it cannot be
   * understood.
   */
  async find<T>(ref: PackRef, context: Reading, work: (vault: Vault) => Promise<T>): Promise<T> {
    const key = packKey(ref.id);
    const problems: string[] = [];
    let newer: LifeboatError | undefined;
    for (const vault of this.#vaults) {
      if (this.#bad.get(vault)?.has(ref.id) === true) {
        problems.push(`${vault.name}: missing or damaged`);
        continue;
      }
      try {
        return await work(vault);
      } catch (error) {
        this.#signal?.throwIfAborted();
        context.signal?.throwIfAborted();
        // What went wrong here, in a thread say, is no damage there.
        if (!isLifeboatError(error) || error.code === 'LB_INTERNAL') throw error;
        if (error.code === 'LB_REPO_NEWER_FORMAT') newer = error;
        problems.push(`${vault.name}: ${messageOf(error)}`);
        if (!error.retriable && !(error instanceof PartDamaged))
          this.#bad.set(vault, (this.#bad.get(vault) ?? new Set()).add(ref.id));
        context.onWarning?.({ kind: 'pack-unreadable', message: messageOf(error), where: whereIs(vault, key) });
      }
    }
    if (newer !== undefined) throw newer;
    throw new LifeboatError('LB_REPO_DAMAGED', `No vault has pack ${ref.id} intact (${problems.join('; ')})`, {
      where: key,
      hint: 'Run `lifeboat verify --data` to see which points this touches; another point may be whole.',
    });
  }
}
