/** How long locks last at first, and then, ms. */
const LASTS = [1_000, 4_000, 16_000, 64_000];

/** A time from now, in whole seconds, as locks are kept. */
export const fromNow = (ms: number): Date => new Date(Math.ceil((Date.now() + ms) / 1000) * 1000);

/**
 * Does something that must be over before a lock ends, with one that ends soon; and again, with one that lasts longer, when that one had
 * ended meanwhile: how slow a machine is today nobody knows.
 */
export async function beforeLockEnds<T>(work: (until: Date) => Promise<T>): Promise<T> {
  for (const lasts of LASTS) {
    const until = fromNow(lasts);
    const [done] = await Promise.allSettled([work(until)]);
    if (Date.now() >= until.getTime()) continue;
    if (done.status === 'rejected') throw done.reason;
    return done.value;
  }
  throw new Error('This machine is too slow for every lock');
}
