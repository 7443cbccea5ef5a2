import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';

/** Problems kept by name; of more, only their number. */
const KEPT = 1000;

/** Something that is not as it should be, and was not copied from there, or not to there. */
export interface ReplicateProblem {
  readonly vault: string;
  /** The object's key. */
  readonly object: string;
  readonly kind: 'missing' | 'damaged' | 'forged' | 'unreadable';
  readonly message: string;
}

/** What was found wrong on the way. */
export class Problems {
  readonly #found = new Map<string, ReplicateProblem>();
  #more = 0;

  /** What went wrong with one object of one vault; the first time counts. */
  add(vault: Vault, object: string, error: unknown): void {
    this.#keep({ vault: vault.name, object, kind: kindOf(error), message: messageOf(error) });
  }

  /** That no vault which may be copied from has something. */
  nowhere(target: Vault, object: string): void {
    this.#keep({ vault: target.name, object, kind: 'missing', message: 'No other vault has it whole' });
  }

  get list(): readonly ReplicateProblem[] {
    return [...this.#found.values()];
  }

  /** Problems that are not in the list. */
  get more(): number {
    return this.#more;
  }

  #keep(problem: ReplicateProblem): void {
    const name = `${problem.vault} ${problem.object}`;
    if (this.#found.has(name)) return;
    if (this.#found.size < KEPT) this.#found.set(name, problem);
    else this.#more++;
  }
}

function kindOf(error: unknown): ReplicateProblem['kind'] {
  if (isLifeboatError(error, 'LB_REPO_FORGED')) return 'forged';
  if (isLifeboatError(error, 'LB_REPO_DAMAGED')) return 'damaged';
  if (isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING')) return 'missing';
  return 'unreadable';
}
