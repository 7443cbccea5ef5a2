import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { readObject } from '../vault-io.ts';
import { NOT_PERMITTED } from './replace.ts';
import type { Outcome } from './replace.ts';

interface UncoverOptions {
  /** Look only. */
  readonly dryRun: boolean;
  /** Until when what is put back is locked. */
  readonly retainUntil: Date | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Takes away what somebody put over the first version of an object, or hid it with. A store that does not show what is older by itself
 * is given it once more, as it is. The first version stays, whatever happens.
 */
export async function uncover(target: Vault, key: string, options: UncoverOptions): Promise<Outcome> {
  const { dryRun, signal, retainUntil } = options;
  if (dryRun) return { outcome: 'possible' };
  try {
    await target.uncover(key, { signal });
    if ((await target.head(key, { signal })) === undefined) await target.put(key, await readObject(target, key, { original: true, signal }), { signal, retainUntil });
    return { outcome: 'healed', message: 'What somebody put over it was taken away' };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isLifeboatError(error) || !NOT_PERMITTED.has(error.code)) return { outcome: 'failed', message: messageOf(error) };
    return { outcome: 'kept', message: `What somebody put over it cannot be taken away: ${error.message}. It is read from beneath` };
  }
}
