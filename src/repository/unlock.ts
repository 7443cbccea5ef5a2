import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { openSlot, recipientOf } from '../keys/index.ts';
import type { KeysByRole, Role, RoleKey, SlotRole, UnlockSecrets } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { slotKey } from './layout.ts';
import { holdsRemains } from './lost-header.ts';
import { isLive, readSlots, ServiceCalls } from './slot-opening.ts';
import type { ReadSlot } from './slot-opening.ts';
import { findSlots } from './slots.ts';
import { VaultHeaders } from './vault-headers.ts';

/** What may open a repository. */
export interface Openers extends UnlockSecrets {
  /** Keys of roles that were exported: no slot is needed then. */
  readonly roleKeys?: readonly RoleKey[];
}

/** Keys, and the slot they were in. */
export interface Unlocked<R extends SlotRole = 'owner'> {
  readonly keys: KeysByRole[R];
  readonly slot: string;
}

interface UnlockOptions {
  readonly signal?: AbortSignal;
  readonly onWarning?: OnWarning;
}

/**
 * Opens the owner's keys with a passphrase, an age identity or a key of a key service: every slot of every vault is tried, those that take an
 * identity first. Throws `LB_KEY_MISSING` when no secret is given, `LB_KEY_WRONG` when none opens a slot, `LB_KEY_ROLE`
 * when one opens a slot of a role alone, `LB_KEY_INVALID` when an identity is malformed, `LB_REPO_MISSING` when there is
 * nothing to open, `LB_REPO_FORGED` when the vaults hold different repositories, or a vault's error when no vault can be read.
 */
export async function unlock(vaults: readonly Vault[], secrets: UnlockSecrets, options: UnlockOptions = {}): Promise<Unlocked> {
  await checkIdentities(secrets);
  return unlockSlot('owner', vaults, secrets, await VaultHeaders.read(vaults, options), options);
}

/** Finds keys of a role: an exported key of it, else what a slot holds. An owner's slot will do for every role. Throws as `unlock`. */
export async function unlockAs<R extends SlotRole>(
  role: R,
  vaults: readonly Vault[],
  openers: Openers,
  options: UnlockOptions = {},
): Promise<KeysByRole[R]> {
  const { roleKeys = [] } = openers;
  await checkIdentities(openers);
  const headers = await VaultHeaders.read(vaults, options);
  for (const given of roleKeys) {
    const keys = keysFor(role, given);
    if (keys === undefined) continue;
    headers.check(keys);
    return keys;
  }
  const [other] = roleKeys;
  if (other !== undefined && !opensSlots(openers)) throw otherRole(role, other.role);
  return (await unlockSlot(role, vaults, openers, headers, options)).keys;
}

/** Malformed ones are refused at once, whatever the slots take. */
async function checkIdentities({ identities = [] }: UnlockSecrets): Promise<void> {
  for (const identity of identities) await recipientOf(identity);
}

async function unlockSlot<R extends SlotRole>(
  role: R,
  vaults: readonly Vault[],
  secrets: UnlockSecrets,
  headers: VaultHeaders,
  options: UnlockOptions,
): Promise<Unlocked<R>> {
  const { signal } = options;
  if (!opensSlots(secrets)) {
    throw new LifeboatError('LB_KEY_MISSING', 'No passphrase, no age identity and no key of a key service was given', {
      hint: 'Give one that opens a key slot of the repository.',
    });
  }
  const slots = await findSlots(vaults, options);
  if (slots.length === 0) throw await nothingThere(headers, vaults, signal);
  return openFirst(role, await readSlots(role, slots, options), secrets, headers, options);
}

function opensSlots({ identities = [], passphrases = [], kms = [] }: UnlockSecrets): boolean {
  return identities.length + passphrases.length + kms.length > 0;
}

/** The keys, if they have the role. */
function keysFor<R extends SlotRole>(role: R, found: RoleKey): KeysByRole[R] | undefined;
function keysFor(role: SlotRole, found: RoleKey): RoleKey['keys'] | undefined {
  return found.role === role || found.role === 'owner' ? found.keys : undefined;
}

async function openFirst<R extends SlotRole>(
  role: R,
  slots: readonly ReadSlot[],
  secrets: UnlockSecrets,
  headers: VaultHeaders,
  options: UnlockOptions,
): Promise<Unlocked<R>> {
  const { signal, onWarning } = options;
  const calls = new ServiceCalls(secrets, headers, onWarning);
  let failure: LifeboatError | undefined;
  for (const slot of slots) {
    try {
      const judged = calls.judge(slot, role);
      if (judged === 'other-role') failure ??= otherRole(role, slot.about.role);
      if (judged !== 'try') continue;
      const opened = await openSlot(slot.bytes, secrets, signal);
      if (opened === undefined) continue;
      headers.check(opened.keys);
      if (!(await isLive(slot, opened.keys, signal))) {
        onWarning?.({ kind: 'slot-removed', message: 'This key was removed from the repository', where: slotKey(slot.id) });
        continue;
      }
      const keys = keysFor(role, opened);
      if (keys !== undefined) return { keys, slot: slot.id };
      failure ??= otherRole(role, opened.role);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLifeboatError(error)) throw error;
      calls.failed(slot, error);
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  throw new LifeboatError('LB_KEY_WRONG', `None of the ${slots.length} key slots opens with what was given`, {
    hint: `Check the passphrase or the identity; \`lifeboat keys list\` shows how each slot is locked.${calls.notAllowed}`,
  });
}

const NEEDED: Readonly<Record<SlotRole, string>> = {
  owner: 'a key that opens everything',
  read: 'a key that reads points',
  maintain: 'a key of the maintain role',
};

function otherRole(needed: SlotRole, found: Role | 'unknown'): LifeboatError {
  return new LifeboatError('LB_KEY_ROLE', `The key has the role \`${found}\`, and this needs ${NEEDED[needed]}`, {
    hint: 'Give another: `lifeboat keys list` shows what each slot holds.',
  });
}

async function nothingThere(headers: VaultHeaders, vaults: readonly Vault[], signal: AbortSignal | undefined): Promise<LifeboatError> {
  if (!headers.none)
    return new LifeboatError('LB_REPO_DAMAGED', 'The repository has no key slot left', { where: 'keys/' });
  // A vault that cannot be listed was warned of before: the hint does not depend on it alone.
  const remains = await Promise.all(vaults.map((vault) => holdsRemains(vault, signal).catch(() => false)));
  signal?.throwIfAborted();
  return new LifeboatError('LB_REPO_MISSING', 'No vault holds a lifeboat repository', {
    hint: remains.includes(true)
      ? 'Put lifeboat.json and keys/ back from another vault or from a copy.'
      : 'Run `lifeboat init`, or check the location of the vaults.',
  });
}
