import type { Clock } from '../../core/clock.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Repair } from '../api.ts';
import { readIfThere, readObject } from '../vault-io.ts';
import type { Proof } from './proof.ts';

/** The bytes of an object that were proved to be its own, in memory, and where they came from. */
export interface Intact {
  readonly bytes: Uint8Array;
  readonly vault: Vault;
}

/** What came of one try, without what the caller knows. */
export type Outcome = Pick<Repair, 'outcome' | 'message'>;

interface ReplaceOptions {
  readonly prove: Proof;
  /** Vaults that hold the object intact, as far as was seen in this run. */
  readonly holders: ReadonlySet<Vault>;
  /** How long what is put is locked, ms; only where the vault locks. */
  readonly lock: number | undefined;
  readonly clock: Clock;
  /** Look only. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Failures of a deletion that say it is not permitted, and will not be. */
export const NOT_PERMITTED: ReadonlySet<ErrorCode> = new Set(['LB_VAULT_ACCESS', 'LB_VAULT_LOCKED', 'LB_VAULT_READ_ONLY']);

/**
 * Makes a vault hold an object intact. What is there instead is looked at once more, and deleted only when it is wrong
 * for certain, the right bytes are in memory, and another vault holds them as well. Killed at any moment it leaves in this vault what was
 * there, or nothing, or the right object; and it never touches the others.
 */
export async function bringIn(target: Vault, key: string, { bytes }: Intact, options: ReplaceOptions): Promise<Outcome> {
  const { prove, holders, lock, clock, dryRun, signal } = options;
  try {
    const there = await readIfThere(target, key, signal);
    if (there !== undefined) {
      if (await proves(prove, there)) return { outcome: 'healed', message: 'It is intact now' };
      if (![...holders].some((holder) => holder.location !== target.location)) return onlyHere();
      if (dryRun) return { outcome: 'possible' };
      const refused = await remove(target, key, prove, signal);
      if (refused !== undefined) return refused;
    } else if (dryRun) return { outcome: 'possible' };
    // From here to the end nothing is interrupted: the vault must not be left without the object for a Ctrl-C.
    const locked = target.locks && lock !== undefined ? { retainUntil: new Date(clock.now() + lock) } : {};
    if ((await target.put(key, bytes, there === undefined ? { signal, ...locked } : locked)) === 'created') return { outcome: 'healed' };
    if (await proves(prove, await readObject(target, key, { signal }))) return { outcome: 'healed' };
    return { outcome: 'failed', message: 'Somebody else put something wrong there meanwhile' };
  } catch (error) {
    signal?.throwIfAborted();
    return { outcome: 'failed', message: messageOf(error) };
  }
}

/** Whether the bytes are those of the object. */
export async function proves(prove: Proof, bytes: Uint8Array): Promise<boolean> {
  try {
    await prove(bytes);
    return true;
  } catch {
    return false;
  }
}

function onlyHere(): Outcome {
  return { outcome: 'kept', message: 'The only intact copy is an earlier version of the object in this vault, and is not deleted before another vault holds it' };
}

/** Deletes an object that is wrong. Gives what to report when that is not permitted. */
export async function remove(target: Vault, key: string, prove: Proof | undefined, signal: AbortSignal | undefined): Promise<Outcome | undefined> {
  try {
    await target.delete(key, { signal });
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (!isLifeboatError(error) || !NOT_PERMITTED.has(error.code)) throw error;
    const beneath = prove !== undefined && (await originalProves(target, key, prove, signal));
    const first = beneath ? '. The first version of the object, under it, is intact' : '';
    return { outcome: 'kept', message: `What is there cannot be taken away: ${error.message}${first}` };
  }
}

async function originalProves(target: Vault, key: string, prove: Proof, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return await proves(prove, await readObject(target, key, { original: true, signal }));
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}
