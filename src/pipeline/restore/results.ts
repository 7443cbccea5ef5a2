/**
 * How an object ended. Each has exactly one:
 * `created`; `updated`: it was there, differed, and has the backup's state now; `unchanged`: it was there and equal;
 * `kept`: it was there and differs still, as asked for; `dropped`: a rule says why it is not restored;
 * `conflict`: it was there and differs, and the restore was told to fail then; `failed`: `reason` says why;
 * `unsupported`: the target does not serve its type.
 */
export const OUTCOMES = ['created', 'updated', 'unchanged', 'kept', 'dropped', 'conflict', 'failed', 'unsupported'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const UNDECIDED = 255;

/** The outcomes of a plan's entries, by their place: one byte each, and text only where something went wrong. */
export class Results {
  readonly #codes: Uint8Array;
  readonly #reasons = new Map<number, string>();
  #decided = 0;

  constructor(entries: number) {
    this.#codes = new Uint8Array(entries).fill(UNDECIDED);
  }

  /** Entries with an outcome. */
  get decided(): number {
    return this.#decided;
  }

  set(entry: number, outcome: Outcome, reason?: string): void {
    if (this.#codes[entry] === UNDECIDED) this.#decided += 1;
    this.#codes[entry] = OUTCOMES.indexOf(outcome);
    if (reason === undefined) this.#reasons.delete(entry);
    else this.#reasons.set(entry, reason);
  }

  /** `undefined` while it is not decided. */
  outcome(entry: number): Outcome | undefined {
    return OUTCOMES[this.#codes[entry] ?? UNDECIDED];
  }

  reason(entry: number): string | undefined {
    return this.#reasons.get(entry);
  }
}
