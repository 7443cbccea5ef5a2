/**
 * Handles the items of an iterable, `width` at a time, and reads no further ahead. After a failure nothing more is begun;
 * what is under way is waited for, then the first failure is thrown.
 */
export async function forEachParallel<T>(items: Iterable<T> | AsyncIterable<T>, width: number, handle: (item: T) => Promise<void>): Promise<void> {
  // A generator answers calls of `next` one after the other, so any number of workers may ask at the same time.
  const source = each(items);
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    try {
      for (let next = await source.next(); next.done !== true && failures.length === 0; next = await source.next()) await handle(next.value);
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  await source.return(undefined);
  if (failures.length > 0) throw failures[0];
}

async function* each<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
  return undefined;
}
