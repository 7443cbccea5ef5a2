import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Vault } from '../vault/vault.ts';

/** Why a vault is no longer part of a session. */
export interface DroppedVault {
  readonly vault: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Vaults that all do the same, and are all waited for; one that fails is dropped with a warning and the others go on;
 * when none is left, the last failure is thrown. A signal that fires is nobody's failure: it is thrown.
 */
export class Lanes {
  #inUse: readonly Vault[];
  readonly #dropped: DroppedVault[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #onWarning: OnWarning | undefined;

  constructor(
    vaults: readonly Vault[],
    options: { readonly signal?: AbortSignal | undefined; readonly onWarning?: OnWarning | undefined },
  ) {
    this.#inUse = vaults;
    this.#signal = options.signal;
    this.#onWarning = options.onWarning;
  }

  get inUse(): readonly Vault[] {
    return this.#inUse;
  }

  get dropped(): readonly DroppedVault[] {
    return this.#dropped;
  }

  /** Does `work` in every vault in use, at once; gives the results of those that are still in use afterwards. */
  async each<T>(work: (vault: Vault) => Promise<T>): Promise<ReadonlyMap<Vault, T>> {
    const vaults = this.#inUse;
    const results = new Map<Vault, T>();
    let last: unknown;
    await Promise.all(
      vaults.map(async (vault) => {
        try {
          results.set(vault, await work(vault));
        } catch (error) {
          this.#signal?.throwIfAborted();
          last = error;
          this.#drop(vault, error);
        }
      }),
    );
    this.#signal?.throwIfAborted();
    // In the order the vaults were given, not in that of their answers: reports should not change from run to run.
    const kept = vaults.filter((vault) => results.has(vault) && this.#inUse.includes(vault));
    if (kept.length === 0) throw last instanceof Error ? last : new Error('no vault is left');
    return new Map(kept.map((vault) => [vault, results.get(vault) as T]));
  }

  #drop(vault: Vault, error: unknown): void {
    if (!this.#inUse.includes(vault)) return;
    this.#inUse = this.#inUse.filter((other) => other !== vault);
    const code = isLifeboatError(error) ? error.code : 'LB_INTERNAL';
    this.#dropped.push({ vault: vault.name, code, message: messageOf(error) });
    this.#onWarning?.({
      kind: 'vault-dropped',
      message: `Vault "${vault.name}" is left out: ${messageOf(error)}`,
      where: isLifeboatError(error) && error.where !== undefined ? error.where : `vault "${vault.name}"`,
    });
  }
}
