import { isLifeboatError } from '../../core/errors.ts';
import { DEFAULT_RETRY, retrying } from '../backoff.ts';
import type { OtherSoftware } from '../other-software.ts';
import { collect } from '../streams.ts';
import type { Vault } from '../vault.ts';
import type { ProbeCheck } from './check.ts';

const OTHER = Buffer.from('Put over an object by lifeboat doctor, to see whether that is possible. It may be deleted.\n');

/** Puts other bytes over an object, as a thief of the credentials might, and looks what has become of it. */
export async function probeOverwriting(
  vault: Vault,
  other: OtherSoftware,
  what: { readonly key: string; readonly bytes: Uint8Array; readonly signal: AbortSignal | undefined },
): Promise<Omit<ProbeCheck, 'name'>> {
  const { key, bytes, signal } = what;
  try {
    await retrying(DEFAULT_RETRY, `overwrite ${key}`, signal, () => other.overwrite(key, OTHER, signal));
  } catch (error) {
    if (!isLifeboatError(error) || error.retriable) throw error;
    return { status: 'ok', detail: 'These credentials cannot put anything over an object' };
  }
  switch (await genuineIs(vault, key, bytes, signal)) {
    case 'kept':
      return { status: 'ok', detail: 'The bucket keeps what other software puts something over: the genuine object can still be read' };
    case 'hidden':
      return {
        status: 'warn',
        detail: 'Other software can put something over an object; whether the bucket keeps the genuine one, these credentials may not see',
        hint: 'Use credentials that can only create, or grant them the right to list versions if the bucket keeps them (docs/vaults.md).',
      };
    case 'lost':
      return {
        status: 'warn',
        detail: 'Other software can overwrite objects with these credentials, also that of who steals them',
        hint: 'Use credentials that can only create (docs/vaults.md), or let the bucket keep versions.',
      };
  }
  throw new Error('there is nothing else that can have become of it');
}

/** What has become of the bytes that were stored first. */
async function genuineIs(vault: Vault, key: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<'kept' | 'hidden' | 'lost'> {
  try {
    const { body, length } = await vault.get(key, { original: true, signal });
    return Buffer.compare(await collect(body, length), bytes) === 0 ? 'kept' : 'lost';
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return 'hidden';
    throw error;
  }
}
