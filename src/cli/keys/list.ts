import { EXIT } from '../../core/error-codes.ts';
import type { SlotKind } from '../../keys/index.ts';
import type { SlotListing } from '../../repository/index.ts';
import type { VaultOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny } from '../../access/key-files.ts';
import { unlockWith, withVaults } from '../../access/repository.ts';
import { formatTable } from '../text.ts';

export type KeysListOptions = VaultOptions;

/** Letters of a slot's id that are shown: enough to tell slots apart. */
export const SHOWN = 12;

/** `lifeboat keys list` */
export async function listKeys(context: Context, options: KeysListOptions): Promise<number> {
  return withVaults(context, options, async (vaults) => {
    const { listSlots } = await import('../../repository/index.ts');
    const told = { signal: context.signal, onWarning: context.output.warn };
    const role = (await context.configIfAny())?.maintainKey === undefined ? 'read' : 'maintain';
    // A list is no reason to call a key service.
    const openers = (await loadOpenersIfAny(context, {}, role)).filter((opener) => opener.kind !== 'kms');
    // A key tells slots that were removed from those that are only said to be; without one all are listed.
    const keys = openers.length === 0 ? undefined : await unlockWith(context, vaults, openers, role).catch(() => undefined);
    const slots = await listSlots(vaults, keys, told);
    await context.output.result({ ok: true, slots }, () => (slots.length === 0 ? 'no key slots' : slotTable(slots)));
    return EXIT.ok;
  });
}

function slotTable(slots: readonly SlotListing[]): string {
  return formatTable(
    [{ title: 'slot' }, { title: 'opened by' }, { title: 'holds' }, { title: 'vaults' }],
    slots.map((slot) => [slot.id.slice(0, SHOWN), slot.key ?? KINDS[slot.kind], HOLDS[slot.role], slot.vaults.toSorted().join(', ')]),
  );
}

const KINDS: Readonly<Record<SlotKind, string>> = {
  passphrase: 'a passphrase',
  x25519: 'an age identity',
  'post-quantum': 'an age identity (post-quantum)',
  'aws-kms': 'a key of AWS KMS',
  'vault-transit': 'a key of OpenBao or Vault',
  'gcp-kms': 'a key of Google Cloud KMS',
  'azure-key-vault': 'a key of Azure Key Vault',
  unknown: 'something this lifeboat does not know',
};

const HOLDS: Readonly<Record<SlotListing['role'], string>> = {
  owner: 'everything',
  read: 'the read key',
  maintain: 'the maintain key',
  unknown: 'something this lifeboat does not know',
};
