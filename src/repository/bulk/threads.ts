import { availableParallelism } from 'node:os';

/** Threads are used for this many cores at most: each fills a pack of its own, and all of them are in memory. */
const MOST_THREADS = 8;

/** Bytes that are worth starting threads for. */
export const WORTH_THREADS = 16 * 1024 * 1024;

/** How many threads work on bytes when there are many. */
export function threadCount(): number {
  return Math.min(MOST_THREADS, availableParallelism());
}
