/**
 * Gives the items of `source` in order, and has the next `items` of them read meanwhile, so that whoever takes one does not
 * wait for the source each time. A failure of the source is thrown where the items before it have been taken.
 */
export async function* readAhead<T>(source: AsyncGenerator<T>, items: number): AsyncGenerator<T, undefined> {
  const asked: Promise<IteratorResult<T>>[] = [];
  try {
    for (;;) {
      while (asked.length < items) {
        // A generator answers calls of `next` one after the other.
        const next = source.next();
        // A failure is thrown when its turn comes; until then nobody waits for it.
        next.catch(() => undefined);
        asked.push(next);
      }
      const next = await asked.shift();
      if (next === undefined || next.done === true) return undefined;
      yield next.value;
    }
  } finally {
    await source.return(undefined);
  }
}
