/** Runs `work` on every item, at most `limit` at once. Rejects with the first failure, after which no more is begun. */
export async function forEachParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const source = (async function* () {
    yield* items;
  })();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (;;) {
      const next = failed ? undefined : await source.next();
      if (next === undefined || next.done === true) return;
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: limit }, lane);
  const results = await Promise.allSettled(lanes);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/**
 * What `work` makes of the items, in their order, with `limit` of them at work ahead of the one that is being used. When it is left
 * early, what is at work is not waited for.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const ahead: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    // It is awaited when its turn comes; failing before that is not unhandled.
    result.catch(() => {});
    ahead.push(result);
    if (ahead.length > limit) yield await (ahead.shift() as Promise<R>);
  }
  for (const result of ahead) yield await result;
}

/** Lets any number of waiters wait for something to change. */
export class Gate {
  #waiters: (() => void)[] = [];

  /** Resolves at the next `wake`. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
