import type { CheckResult, Finding } from '../report.ts';

/** Findings in a report at most; failures are all counted. */
const MOST_NAMED = 100;

/** What one check finds while it looks. */
export class Findings {
  readonly #failures: Finding[] = [];
  readonly #notes: Finding[] = [];
  #checked = 0;
  #failed = 0;
  #skipped: string | undefined;

  /** So many things were looked at. */
  looked(count = 1): void {
    this.#checked += count;
  }

  /** Something that makes the check fail. `count`: how many of it, of which this is one. */
  fail(object: string, message: string, count = 1): void {
    this.#failed += count;
    if (this.#failures.length < MOST_NAMED) this.#failures.push({ object, message, failure: true });
  }

  /** Something worth knowing that is no failure. */
  note(object: string, message: string): void {
    if (this.#notes.length < MOST_NAMED) this.#notes.push({ object, message, failure: false });
  }

  /** The check could not be made, or there was nothing to check. */
  skip(reason: string): void {
    this.#skipped = reason;
  }

  result(about: { readonly id: string; readonly title: string }, seconds: number): CheckResult {
    const skipped = this.#failed === 0 && (this.#skipped !== undefined || this.#checked === 0);
    return {
      id: about.id,
      title: about.title,
      outcome: this.#failed > 0 ? 'failed' : skipped ? 'skipped' : 'passed',
      checked: this.#checked,
      failures: this.#failed,
      findings: [...this.#failures, ...this.#notes].slice(0, MOST_NAMED),
      ...(skipped && { reason: this.#skipped ?? 'The point holds nothing of the kind' }),
      seconds: Math.round(seconds * 1000) / 1000,
    };
  }
}
