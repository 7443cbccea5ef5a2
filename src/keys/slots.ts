import { createHash } from 'node:crypto';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { decryptAge, encryptAge } from './age.ts';
import type { SlotSecret, UnlockSecrets } from './age.ts';
import type { KmsKind } from './kms/address.ts';
import { kmsError } from './kms/errors.ts';
import { whereKey } from './kms/provider.ts';
import { kmsIdentity, kmsRecipient, parseKmsStanza } from './kms/stanza.ts';
import type { KmsLock } from './kms/stanza.ts';
import type { RepositoryKeys } from './material.ts';
import { decodeSlotContent, encodeSlotContent } from './slot-content.ts';
import type { SlotKey, SlotRole } from './slot-content.ts';

/**
 * Says in the clear which role alone a slot holds: a stanza of the age file with this name and no body. Without it
 * nobody could tell, before it is too late, that the last slot that holds everything is about to be removed.
 */
const ROLE_STANZA = 'lifeboat-role';

/**
 * A key slot: an age file with the keys in it, or those of one role alone; any age program opens those that are not locked by
 * a key service. Throws `LB_KEY_INVALID`; `LB_USAGE` for one role behind a passphrase, `LB_KEY_ROLE` for one in an old
 * repository, and what a key service throws (`KmsProvider`). A slot of a key service is opened once before it counts; where
 * the credentials permit locking and not opening, that is warned of.
 */
export async function sealSlot(
  keys: RepositoryKeys,
  secret: SlotSecret,
  role: SlotRole = 'owner',
  { signal, onWarning }: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning } = {},
): Promise<Uint8Array> {
  if (role !== 'owner' && secret.kind === 'passphrase') {
    throw new LifeboatError('LB_USAGE', 'A passphrase opens everything: a role alone needs another kind of key slot', {
      hint: 'Use an age recipient for it, or export the key of the role to a file: `lifeboat keys export`.',
    });
  }
  const content = encodeSlotContent(keys, role);
  const remark = role === 'owner' ? undefined : [ROLE_STANZA, role];
  if (secret.kind !== 'kms') return encryptAge(content, secret, remark);
  const context = { repositoryId: keys.repositoryId, role };
  const { provider } = secret;
  const slot = await encryptAge(content, { kind: 'own', recipient: (StanzaClass) => kmsRecipient(provider, context, StanzaClass, signal) }, remark);
  try {
    if ((await openSlot(slot, { kms: [provider] }, signal)) === undefined) throw kmsError('LB_KEY_WRONG', provider.key);
  } catch (error) {
    if (!isLifeboatError(error, 'LB_KEY_ACCESS')) throw error;
    onWarning?.({ kind: 'slot-untried', message: `The new key slot was not tried, because these credentials may lock and not open: ${error.message}`, where: whereKey(provider.key) });
  }
  return slot;
}

/**
 * The keys in a slot, or `undefined` when none of the secrets opens it. A key service is called only if the slot names a
 * key that is among the secrets. Throws `LB_KEY_INVALID` when an identity is malformed, or when what the slot holds are no
 * keys, and what a key service throws.
 */
export async function openSlot(slot: Uint8Array, secrets: UnlockSecrets, signal?: AbortSignal): Promise<SlotKey | undefined> {
  const { role } = aboutSlot(slot);
  const services = role === 'unknown' ? [] : (secrets.kms ?? []).map((provider) => kmsIdentity(provider, role, signal));
  const opened = await decryptAge(slot, secrets, services);
  signal?.throwIfAborted();
  if (opened === undefined) return undefined;
  const found = await decodeSlotContent(opened);
  if (found.role === role) return found;
  throw new LifeboatError('LB_KEY_INVALID', `The key slot holds keys of the role ${found.role}, and says otherwise`);
}

/** The name of a slot: SHA-256 of its bytes, lower-case hex. */
export function slotId(slot: Uint8Array): string {
  return createHash('sha256').update(slot).digest('hex');
}

/** How a slot is locked; `unknown` for what is not an age file or uses something else. */
export type SlotKind = 'passphrase' | 'x25519' | 'post-quantum' | KmsKind | 'unknown';

/** What can be told of a slot without opening it. */
export interface AboutSlot {
  readonly kind: SlotKind;
  /** What it says it holds; opening it shows whether that is so. `unknown` when this lifeboat does not know the role. */
  readonly role: SlotRole | 'unknown';
  /** The key of a key service that locks it. The slot says so; whether to call that service is for the user to say. */
  readonly kms?: KmsLock;
}

const KINDS: ReadonlyMap<string, SlotKind> = new Map([
  ['scrypt', 'passphrase'],
  ['X25519', 'x25519'],
  ['mlkem768x25519', 'post-quantum'],
]);
const ROLES: readonly SlotRole[] = ['owner', 'read', 'maintain'];
/** The header of a slot is shorter than this. */
const HEADER_BYTES = 16 * 1024;

/** Reads the unsealed beginning of a slot. */
export function aboutSlot(slot: Uint8Array): AboutSlot {
  const [version, ...lines] = Buffer.from(slot.subarray(0, HEADER_BYTES)).toString('latin1').split('\n');
  if (version !== 'age-encryption.org/v1') return { kind: 'unknown', role: 'unknown' };
  const end = lines.findIndex((line) => line.startsWith('---'));
  const stanzas = lines.slice(0, Math.max(end, 0)).filter((line) => line.startsWith('-> ')).map((line) => line.split(' ').slice(1));
  const named = stanzas.find(([type]) => type === ROLE_STANZA);
  const role = named === undefined ? 'owner' : (ROLES.find((known) => known === named[1]) ?? 'unknown');
  const kms = stanzas.map(parseKmsStanza).find((lock) => lock !== undefined);
  if (kms !== undefined) return { kind: kms.key.kind, role, kms };
  const kind = stanzas.map(([type = '']) => KINDS.get(type)).find((known) => known !== undefined) ?? 'unknown';
  return { kind, role };
}
