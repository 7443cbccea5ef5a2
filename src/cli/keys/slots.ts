import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { SlotKind, SlotRole, SlotSecret } from '../../keys/index.ts';
import type { SlotChange, SlotListing } from '../../repository/index.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny, passphraseFile } from '../key-files.ts';
import { canAsk, confirm } from '../prompt.ts';
import { unlockVaults, unlockWith, withVaults } from '../repository.ts';
import { formatTable } from '../text.ts';
import type { ReadKeyOptions, VaultOptions } from '../command.ts';

export type KeysListOptions = VaultOptions;

export interface KeysAddOptions extends VaultOptions, ReadKeyOptions {
  readonly newPassphraseFile?: string;
  readonly recipient?: readonly string[];
  readonly role: SlotRole;
}

export interface KeysRemoveOptions extends VaultOptions, ReadKeyOptions {
  readonly yes?: boolean;
}

/** Letters of a slot's id that are shown: enough to tell slots apart. */
const SHOWN = 12;

/** `lifeboat keys list` */
export async function listKeys(context: Context, options: KeysListOptions): Promise<number> {
  return withVaults(context, options, async (vaults) => {
    const { listSlots } = await import('../../repository/index.ts');
    const told = { signal: context.signal, onWarning: context.output.warn };
    const role = (await context.configIfAny())?.maintainKey === undefined ? 'read' : 'maintain';
    const openers = await loadOpenersIfAny(context, {}, role);
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
    slots.map((slot) => [slot.id.slice(0, SHOWN), KINDS[slot.kind], HOLDS[slot.role], slot.vaults.toSorted().join(', ')]),
  );
}

const KINDS: Readonly<Record<SlotKind, string>> = {
  passphrase: 'a passphrase',
  x25519: 'an age identity',
  'post-quantum': 'an age identity (post-quantum)',
  unknown: 'something this lifeboat does not know',
};

const HOLDS: Readonly<Record<SlotListing['role'], string>> = {
  owner: 'everything',
  read: 'the read key',
  maintain: 'the maintain key',
  unknown: 'something this lifeboat does not know',
};

/** `lifeboat keys add` */
export async function addKey(context: Context, options: KeysAddOptions): Promise<number> {
  const secrets: SlotSecret[] = (options.recipient ?? []).map((recipient) => ({ kind: 'age', recipient }));
  if (options.newPassphraseFile !== undefined) {
    const { text } = await passphraseFile(context.path(options.newPassphraseFile));
    context.output.redactor.add(text);
    secrets.push({ kind: 'passphrase', passphrase: text });
  }
  if (secrets.length === 0) {
    throw new LifeboatError('LB_USAGE', 'Nothing was said that shall open the repository', { hint: 'Give --recipient age1… or --new-passphrase-file FILE.' });
  }
  return withVaults(context, options, async (vaults) => {
    const { addSlot } = await import('../../repository/index.ts');
    const keys = await unlockVaults(context, vaults, options, 'owner');
    const added: SlotChange[] = [];
    for (const secret of secrets) {
      added.push(await addSlot(vaults, keys, secret, { role: options.role, signal: context.signal, onWarning: context.output.warn }));
    }
    return reportChanges(context, 'added', added);
  });
}

/** `lifeboat keys remove` */
export async function removeKey(context: Context, slot: string, options: KeysRemoveOptions): Promise<number> {
  return withVaults(context, options, async (vaults) => {
    const { removeSlot } = await import('../../repository/index.ts');
    const keys = await unlockVaults(context, vaults, options, 'maintain');
    if (options.yes !== true) {
      const askable = canAsk(context.terminal) && context.globals.json !== true;
      if (!askable) throw new LifeboatError('LB_USAGE', 'Removing a key slot needs a yes', { hint: 'Add --yes.' });
      if (!(await confirm(context.terminal, `Remove the key slot ${slot} from ${vaults.map((vault) => vault.name).join(', ')}?`, context.signal))) {
        throw new LifeboatError('LB_INTERRUPTED', 'Nothing was removed');
      }
    }
    const removed = await removeSlot(vaults, keys, slot, { signal: context.signal, onWarning: context.output.warn });
    return reportChanges(context, 'removed', [removed]);
  });
}

async function reportChanges(context: Context, what: 'added' | 'removed', changes: readonly SlotChange[]): Promise<number> {
  const ok = changes.every((change) => change.failed.length === 0);
  await context.output.result({ ok, [what]: changes }, () =>
    changes
      .map(({ id, vaults, failed }) => {
        const not = failed.length === 0 ? '' : `; not in ${failed.map((one) => one.vault).join(', ')}`;
        return `${what} key slot ${id.slice(0, SHOWN)} in ${vaults.toSorted().join(', ')}${not}`;
      })
      .join('\n'),
  );
  return ok ? EXIT.ok : EXIT.partial;
}
