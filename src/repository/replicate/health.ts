import { isLifeboatError } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';

/** Failures in a row after which a source is not asked any more. */
const ENOUGH = 3;

/** Which sources answer: one that is gone is not waited for at every object. */
export class Health {
  readonly #failures = new Map<Vault, number>();
  #last: unknown;

  /** Those of them that are still asked. Throws the last failure when there were some and none is. */
  usable(sources: readonly Vault[]): readonly Vault[] {
    const usable = sources.filter((vault) => (this.#failures.get(vault) ?? 0) < ENOUGH);
    if (usable.length === 0 && sources.length > 0) throw this.#last;
    return usable;
  }

  answered(source: Vault): void {
    this.#failures.delete(source);
  }

  /** That an object is missing or damaged says nothing of the vault. */
  failed(source: Vault, error: unknown): void {
    if (isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING') || isLifeboatError(error, 'LB_REPO_DAMAGED')) return;
    this.#last = error;
    this.#failures.set(source, (this.#failures.get(source) ?? 0) + 1);
  }
}
