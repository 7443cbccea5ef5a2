import type { Clock } from '../../core/clock.ts';

/** Failures of one address that are answered and put on record, in this time, ms. */
const MOST = 20;
const WINDOW = 60_000;
/** Addresses that are remembered. Beyond, the one that failed longest ago is forgotten. */
const MOST_ADDRESSES = 10_000;

/**
 * Counts credentials that were not accepted, by address. Whoever has a good one is never held up by others that come from the same
 * address, as through a proxy: only what fails is refused sooner.
 */
export class FailureLimiter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #failures = new Map<string, { readonly since: number; count: number }>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Counts a failure. Gives how long to wait, s, when there were too many; undefined when there were not. */
  failed(address: string): number | undefined {
    const now = this.#clock.now();
    const network = networkOf(address);
    const known = this.#failures.get(network);
    this.#failures.delete(network);
    const current = known === undefined || now - known.since >= WINDOW ? { since: now, count: 0 } : known;
    current.count += 1;
    this.#failures.set(network, current);
    if (this.#failures.size > MOST_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value ?? '');
    return current.count <= MOST ? undefined : Math.max(1, Math.ceil((current.since + WINDOW - now) / 1000));
  }
}

/** An IPv6 host has a whole /64 to come from. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail] = address.split('%', 1).join('').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? before : [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0'), ...after];
  return groups.slice(0, 4).join(':');
}
