/** One measured figure, as `npm run bench -- NAME --json` prints it. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the figure is held to, such as `<= 1.5`; absent where it is printed for information only. */
  readonly bar?: string;
  readonly holds?: boolean;
}

type Comparison = '<=' | '>=' | '<';

/** A figure that is held to a bar. */
export function held(name: string, value: number, unit: string, comparison: Comparison, limit: number): Figure {
  const holds = comparison === '<=' ? value <= limit : comparison === '<' ? value < limit : value >= limit;
  return { name, value: rounded(value), unit, bar: `${comparison} ${limit}`, holds };
}

/** A figure printed beside the others, held to nothing. */
export function noted(name: string, value: number, unit: string): Figure {
  return { name, value: rounded(value), unit };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('median of nothing');
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Three significant digits: more would pretend a precision that a shared machine does not have. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
