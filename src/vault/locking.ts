import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import type { Vault } from './vault.ts';

/**
 * The vault, with everything that is put there locked for `duration` ms from then on. A vault that does not lock is
 * given back as it is: look at `locks`.
 */
export function withLock(vault: Vault, duration: number, clock: Clock = systemClock): Vault {
  if (!vault.locks) return vault;
  return {
    name: vault.name,
    location: vault.location,
    locks: true,
    put: (key, body, options) => vault.put(key, body, { ...options, retainUntil: new Date(clock.now() + duration) }),
    get: (key, options) => vault.get(key, options),
    head: (key, options) => vault.head(key, options),
    list: (prefix, options) => vault.list(prefix, options),
    retain: (key, until, options) => vault.retain(key, until, options),
    delete: (key, options) => vault.delete(key, options),
    uncover: (key, options) => vault.uncover(key, options),
    close: () => vault.close(),
  };
}
