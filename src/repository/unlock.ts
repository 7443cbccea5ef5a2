import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { openSlot, recipientOf, slotKind } from '../keys/index.ts';
import type { RepositoryKeys, UnlockSecrets } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { checkHeader } from './header.ts';
import type { RepositoryHeader } from './header.ts';
import { slotKey } from './layout.ts';
import { holdsRemains } from './lost-header.ts';
import { findSlots } from './slots.ts';
import type { FoundSlot } from './slots.ts';
import { liveSlots } from './slot-objects.ts';
import { readHeader } from './vault-header.ts';
import { readNamed, whereIs } from './vault-io.ts';

interface VaultHeader {
  readonly vault: string;
  readonly header: RepositoryHeader;
}

/** Keys, and the slot they were in. */
export interface Unlocked {
  readonly keys: RepositoryKeys;
  readonly slot: string;
}

/**
 * Opens the repository's keys with a passphrase or an age identity: every slot of every vault is tried, those that take
 * an identity first. Throws `LB_KEY_MISSING` when no secret is given, `LB_KEY_WRONG` when none opens a slot,
 * `LB_KEY_INVALID` when an identity is malformed, `LB_REPO_MISSING` when there is nothing to open, `LB_REPO_FORGED` when
 * the vaults hold different repositories, or a vault's error when no vault can be read.
 */
export async function unlock(
  vaults: readonly Vault[],
  secrets: UnlockSecrets,
  options: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning } = {},
): Promise<Unlocked> {
  const { signal, onWarning } = options;
  const { identities = [], passphrases = [] } = secrets;
  if (identities.length + passphrases.length === 0) {
    throw new LifeboatError('LB_KEY_MISSING', 'No passphrase and no age identity was given', {
      hint: 'Give one that opens a key slot of the repository.',
    });
  }
  // Malformed ones are refused at once, whatever the slots take.
  for (const identity of identities) await recipientOf(identity);
  const headers = await readHeaders(vaults, options);
  refuseDifferent(headers);
  const slots = await findSlots(vaults, options);
  if (slots.length === 0) throw await nothingThere(headers, vaults, signal);
  let failure: unknown;
  for (const slot of await identitySlotsFirst(slots, options)) {
    try {
      const keys = await openSlot(slot.bytes, secrets);
      if (keys === undefined) continue;
      checkAgainst(headers, keys);
      if (await isLive(slot.id, slot.vaults, keys, signal)) return { keys, slot: slot.id };
      onWarning?.({
        kind: 'slot-removed',
        message: 'This key was removed from the repository',
        where: slotKey(slot.id),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLifeboatError(error)) throw error;
      failure = error;
    }
  }
  if (isLifeboatError(failure)) throw failure;
  throw new LifeboatError('LB_KEY_WRONG', `None of the ${slots.length} key slots opens with what was given`, {
    hint: 'Check the passphrase or the identity; `lifeboat keys list` shows how each slot is locked.',
  });
}

async function readHeaders(
  vaults: readonly Vault[],
  options: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning },
): Promise<VaultHeader[]> {
  const results = await Promise.allSettled(vaults.map((vault) => readHeader(vault, options.signal)));
  options.signal?.throwIfAborted();
  const headers: VaultHeader[] = [];
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') {
      if (result.value !== undefined) headers.push({ vault: vaults[i]?.name ?? '', header: result.value.header });
      continue;
    }
    if (isLifeboatError(result.reason, 'LB_REPO_NEWER_FORMAT')) throw result.reason;
    options.onWarning?.({
      kind: 'header-unreadable',
      message: messageOf(result.reason),
      where: `vault "${vaults[i]?.name}"`,
    });
  }
  return headers;
}

/**
 * Anybody can make a repository that a known age identity opens. What unlocks must not be left to whichever vault
 * comes first when they disagree about whose repository it is.
 */
function refuseDifferent(headers: readonly VaultHeader[]): void {
  const [first] = headers;
  const other = headers.find(({ header }) => first !== undefined && !isSame(header, first.header));
  if (first === undefined || other === undefined) return;
  throw new LifeboatError('LB_REPO_FORGED', `The vaults hold different repositories: "${first.vault}" ${first.header.id}, "${other.vault}" ${other.header.id}`, {
    where: `vault "${other.vault}"`,
    hint: 'The write key names the repository that is yours. Use only the vaults that hold it.',
  });
}

function isSame(a: RepositoryHeader, b: RepositoryHeader): boolean {
  const keys = (header: RepositoryHeader): Buffer => Buffer.concat([header.signingPublicKey, header.sealingPublicKey]);
  return a.id === b.id && keys(a).equals(keys(b));
}

/** A slot may be of another repository; it must agree with the header of at least one vault, if any has one. */
function checkAgainst(headers: readonly VaultHeader[], keys: RepositoryKeys): void {
  const failures: unknown[] = [];
  for (const { header } of headers) {
    try {
      checkHeader(header, keys);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function isLive(
  id: string,
  vaults: readonly Vault[],
  keys: RepositoryKeys,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const live = await Promise.all(vaults.map((vault) => liveSlots(vault, keys, signal).catch(() => [id])));
  return live.every((slots) => slots.includes(id));
}

/** The slots with their bytes; those that take an identity first, because trying a passphrase takes a second. */
async function identitySlotsFirst(
  slots: readonly FoundSlot[],
  options: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning },
): Promise<(FoundSlot & { readonly bytes: Uint8Array })[]> {
  const read: (FoundSlot & { readonly bytes: Uint8Array })[] = [];
  for (const slot of slots) {
    for (const vault of slot.vaults) {
      try {
        read.push({ ...slot, bytes: await readNamed(vault, slotKey(slot.id), slot.id, options.signal) });
        break;
      } catch (error) {
        options.signal?.throwIfAborted();
        options.onWarning?.({
          kind: 'slot-unreadable',
          message: messageOf(error),
          where: whereIs(vault, slotKey(slot.id)),
        });
      }
    }
  }
  const takesPassphrase = (slot: { readonly bytes: Uint8Array }): number =>
    slotKind(slot.bytes) === 'passphrase' ? 1 : 0;
  return read.sort((a, b) => takesPassphrase(a) - takesPassphrase(b));
}

async function nothingThere(
  headers: readonly VaultHeader[],
  vaults: readonly Vault[],
  signal: AbortSignal | undefined,
): Promise<LifeboatError> {
  if (headers.length > 0)
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
