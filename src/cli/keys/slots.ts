import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { KmsKind, SlotRole, SlotSecret } from '../../keys/index.ts';
import type { SlotChange } from '../../repository/index.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';
import { passphraseFile } from '../../access/key-files.ts';
import { canAsk, confirm } from '../prompt.ts';
import { unlockVaults, withVaults } from '../../access/repository.ts';
import { SHOWN } from './list.ts';
import { unopened } from './unopened.ts';

export interface KeysAddOptions extends VaultOptions, ReadKeyOptions {
  readonly newPassphraseFile?: string;
  readonly recipient?: readonly string[];
  readonly awsKms?: readonly string[];
  readonly vaultTransit?: readonly string[];
  readonly gcpKms?: readonly string[];
  readonly azureKeyVault?: readonly string[];
  readonly role: SlotRole;
}

export interface KeysRemoveOptions extends VaultOptions, ReadKeyOptions {
  readonly yes?: boolean;
}

/** `lifeboat keys add` */
export async function addKey(context: Context, options: KeysAddOptions): Promise<number> {
  const secrets: SlotSecret[] = (options.recipient ?? []).map((recipient) => ({ kind: 'age', recipient }));
  if (options.newPassphraseFile !== undefined) {
    const { text } = await passphraseFile(context.path(options.newPassphraseFile));
    context.output.redactor.add(text);
    secrets.push({ kind: 'passphrase', passphrase: text });
  }
  secrets.push(...(await keyServices(context, options)));
  if (secrets.length === 0) {
    throw new LifeboatError('LB_USAGE', 'Nothing was said that shall open the repository', {
      hint: 'Give --recipient age1…, --new-passphrase-file FILE, or a key of a key service, such as --aws-kms ARN.',
    });
  }
  return withVaults(context, options, async (vaults, configs) => {
    const { addSlot } = await import('../../repository/index.ts');
    const keys = await unlockVaults(context, vaults, options, 'owner');
    const added: SlotChange[] = [];
    const told = { signal: context.signal, onWarning: context.output.warn, absent: unopened(vaults, configs) };
    for (const secret of secrets) added.push(await addSlot(vaults, keys, secret, { role: options.role, ...told }));
    return reportChanges(context, 'added', added);
  });
}

async function keyServices(context: Context, options: KeysAddOptions): Promise<readonly SlotSecret[]> {
  const named: readonly (readonly [KmsKind, readonly string[] | undefined])[] = [
    ['aws-kms', options.awsKms],
    ['vault-transit', options.vaultTransit],
    ['gcp-kms', options.gcpKms],
    ['azure-key-vault', options.azureKeyVault],
  ];
  if (named.every(([, names]) => names === undefined)) return [];
  const [{ namedKms }, { requireKmsKey }] = await Promise.all([import('../../access/kms.ts'), import('../../keys/index.ts')]);
  const secrets: SlotSecret[] = [];
  for (const [kind, names] of named) {
    for (const name of names ?? []) secrets.push({ kind: 'kms', provider: await namedKms(context, requireKmsKey(kind, name)) });
  }
  return secrets;
}

/** `lifeboat keys remove` */
export async function removeKey(context: Context, slot: string, options: KeysRemoveOptions): Promise<number> {
  return withVaults(context, options, async (vaults, configs) => {
    const { removeSlot } = await import('../../repository/index.ts');
    const keys = await unlockVaults(context, vaults, options, 'maintain');
    if (options.yes !== true) {
      const askable = canAsk(context.terminal) && context.globals.json !== true;
      if (!askable) throw new LifeboatError('LB_USAGE', 'Removing a key slot needs a yes', { hint: 'Add --yes.' });
      if (!(await confirm(context.terminal, `Remove the key slot ${slot} from ${vaults.map((vault) => vault.name).join(', ')}?`, context.signal))) {
        throw new LifeboatError('LB_INTERRUPTED', 'Nothing was removed');
      }
    }
    const removed = await removeSlot(vaults, keys, slot, { signal: context.signal, onWarning: context.output.warn, absent: unopened(vaults, configs) });
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
