/** Ids of a span, as lines of a log carry them. */
export interface ActiveIds {
  readonly trace_id?: string;
  readonly span_id?: string;
}

let find = (): ActiveIds => ({});

/** Ids of the span that is going on here; none without one. A new object each time: the log puts the rest of the line into it. */
export function activeIds(): ActiveIds {
  return find();
}

/** Says how they are found: by whoever makes traces. A log loads nothing of traces where there are none. */
export function findActiveIds(how: () => ActiveIds): void {
  find = how;
}
