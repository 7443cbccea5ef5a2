/** Runs work with at most `width` pieces under way at once, started in the order they were given. */
export function limitedTo(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place goes straight to the next one, so that nobody who asks now gets in between.
      if (next) next();
      else running -= 1;
    }
  };
}
