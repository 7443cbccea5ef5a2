import { ERROR_CODES } from '../../core/error-codes.ts';

/** Values that a label may have when nobody has said which there are. */
const MOST_VALUES = 64;
/** Plans and vaults before lifeboat.yaml was read. */
const MOST_NAMES = 1_000;
const OTHER = 'other';

/** Keeps labels from having any number of values, each of which is a series for as long as the process and its scraper remember. */
export class LabelBounds {
  readonly #expected = new Map<string, ReadonlySet<string>>([['code', new Set(Object.keys(ERROR_CODES))]]);
  readonly #seen = new Map<string, Set<string>>();

  expect(label: string, values: Iterable<string>): void {
    // A metric that is of no plan has an empty one.
    this.#expected.set(label, new Set([...values, '']));
  }

  keep(labels: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, this.#one(label, value)]));
  }

  #one(label: string, value: string): string {
    const expected = this.#expected.get(label);
    if (expected !== undefined) return expected.has(value) ? value : OTHER;
    const seen = this.#seen.get(label) ?? new Set();
    this.#seen.set(label, seen);
    if (seen.has(value)) return value;
    if (seen.size >= (label === 'plan' || label === 'vault' ? MOST_NAMES : MOST_VALUES)) return OTHER;
    seen.add(value);
    return value;
  }
}
