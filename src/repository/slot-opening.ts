import { messageOf } from '../core/errors.ts';
import type { LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { aboutSlot, formatKmsKey, opensSameSlots } from '../keys/index.ts';
import type { AboutSlot, PublicKeys, SlotRole, UnlockSecrets } from '../keys/index.ts';
import { slotKey } from './layout.ts';
import type { FoundSlot } from './slots.ts';
import { liveSlots } from './slot-objects.ts';
import type { VaultHeaders } from './vault-headers.ts';
import { readNamed, whereIs } from './vault-io.ts';

/** A slot, whole, and what it says of itself. */
export interface ReadSlot extends FoundSlot {
  readonly bytes: Uint8Array;
  readonly about: AboutSlot;
}

/** The slots with their bytes, in the order to be tried. One that no vault has intact is left out, with a warning. */
export async function readSlots(
  role: SlotRole,
  slots: readonly FoundSlot[],
  options: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning },
): Promise<readonly ReadSlot[]> {
  const read: ReadSlot[] = [];
  for (const slot of slots) {
    for (const vault of slot.vaults) {
      try {
        const bytes = await readNamed(vault, slotKey(slot.id), slot.id, options.signal);
        read.push({ ...slot, bytes, about: aboutSlot(bytes) });
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
  return read.sort((a, b) => effort(a, role) - effort(b, role));
}

/**
 * Identities first, because they cost nothing to try; then key services, of theirs the slots for the very role first, since a
 * key policy may permit just those; then passphrases, which take a second each. What seems to be removed comes last.
 */
function effort({ about, removed }: ReadSlot, role: SlotRole): number {
  const kind = about.kms === undefined ? (about.kind === 'passphrase' ? 3 : 0) : about.role === role ? 1 : 2;
  return removed ? 4 + kind : kind;
}

/** Whether no vault that has the slot has a genuine tombstone for it too. */
export async function isLive(slot: FoundSlot, keys: PublicKeys, signal: AbortSignal | undefined): Promise<boolean> {
  const live = await Promise.all(slot.vaults.map((vault) => liveSlots(vault, keys, signal).catch(() => [slot.id])));
  return live.every((slots) => slots.includes(slot.id));
}

/** Slots that a key service is asked to open in vain, before the rest are left alone: whoever can write to a vault can put any number there. */
const MAX_FAILURES = 16;

/**
 * Decides which slots are worth a call to a key service. Never one that the user did not name: a vault is written to by
 * others, and its slots could otherwise make us call, and authenticate, anywhere.
 */
export class ServiceCalls {
  readonly #secrets: UnlockSecrets;
  readonly #headers: VaultHeaders;
  readonly #onWarning: OnWarning | undefined;
  readonly #down = new Set<string>();
  readonly #unnamed = new Set<string>();
  #failures = 0;

  constructor(secrets: UnlockSecrets, headers: VaultHeaders, onWarning: OnWarning | undefined) {
    this.#secrets = secrets;
    this.#headers = headers;
    this.#onWarning = onWarning;
  }

  /** Whether to try a slot for a role; always, if no key service locks it. */
  judge({ about }: ReadSlot, role: SlotRole): 'try' | 'leave' | 'other-role' {
    if (about.kms === undefined) return 'try';
    const { key, repositoryId } = about.kms;
    if (!(this.#secrets.kms ?? []).some((provider) => opensSameSlots(provider.key, key))) {
      this.#unnamed.add(formatKmsKey(key));
      return 'leave';
    }
    if (!this.#headers.mayBe(repositoryId) || this.#down.has(formatKmsKey(key)) || this.#failures >= MAX_FAILURES) return 'leave';
    return about.role === role || about.role === 'owner' ? 'try' : 'other-role';
  }

  /** To be told what opening a slot failed with. */
  failed({ about, id }: ReadSlot, error: LifeboatError): void {
    if (about.kms === undefined) return;
    this.#failures += 1;
    const { message } = error;
    this.#onWarning?.({ kind: 'key-service', message, where: `${slotKey(id)}, ${formatKmsKey(about.kms.key)}` });
    if (DOWN.has(error.code)) this.#down.add(formatKmsKey(about.kms.key));
  }

  /** More of a hint: which key services could open a slot if the user named them. Empty when there are none. */
  get notAllowed(): string {
    return this.#unnamed.size === 0 ? '' : ` ${allowHint([...this.#unnamed])}`;
  }
}

/** Failures that the same key meets again with the next slot. */
const DOWN: ReadonlySet<string> = new Set(['LB_KEY_UNAVAILABLE', 'LB_KEY_UNTRUSTED', 'LB_KEY_GONE']);

/** What to do about slots that are locked by keys of key services which the user did not name. */
export function allowHint(keys: readonly string[]): string {
  const shown = keys.slice(0, 3).join(', ');
  return `A key slot says that it is locked by ${shown}: if that key is yours, allow it with --kms KEY or under \`kms\` in lifeboat.yaml.`;
}
