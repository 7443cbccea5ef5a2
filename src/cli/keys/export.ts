import { EXIT } from '../../core/error-codes.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { identityText } from '../identity.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';
import { unlockVaults, withVaults } from '../../access/repository.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';

export interface ExportOptions extends VaultOptions, ReadKeyOptions {
  readonly role: 'write' | 'read' | 'maintain';
  readonly output?: string;
}

const MEANING: Readonly<Record<ExportOptions['role'], string>> = {
  write: 'It adds recovery points and cannot read them: keep it on the machine that makes backups.',
  read: 'It opens every recovery point and can add none: keep it where restores, drills and verifications run, away from the machine that makes backups.',
  maintain: 'It takes away what is no longer wanted; it can neither read points nor add any: keep it away from the machine that makes backups.',
};

/** `lifeboat keys export`: to a file, or as it is to stdout. */
export async function exportKey(context: Context, options: ExportOptions): Promise<number> {
  const { output } = context;
  const { role } = options;
  const text = await withVaults(context, options, (vaults) => exportedKey(context, vaults, options));
  if (options.output === undefined) {
    if (context.globals.json === true) await output.verbatim(`${JSON.stringify({ ok: true, role, key: text }, null, 2)}\n`);
    else await output.verbatim(`${text}\n`);
    return EXIT.ok;
  }
  output.redactor.add(text);
  const file = context.path(options.output);
  await writeNewFile(file, `${text}\n`, SECRET_MODE);
  await output.result({ ok: true, role, file }, () => `${role} key written to ${file}\n${MEANING[role]}`);
  return EXIT.ok;
}

async function exportedKey(context: Context, vaults: readonly Vault[], options: ExportOptions): Promise<string> {
  const { formatMaintainKey, formatReadKey, formatWriteKey } = await import('../../keys/index.ts');
  const { role } = options;
  if (role === 'read') return formatReadKey(await unlockVaults(context, vaults, options, role));
  if (role === 'maintain') return formatMaintainKey(await unlockVaults(context, vaults, options, role));
  return formatWriteKey(await unlockVaults(context, vaults, options, 'owner'));
}

/** `lifeboat keys new-identity`. */
export async function newIdentity(context: Context, path: string, classic: boolean): Promise<number> {
  const { output } = context;
  const { generateIdentity } = await import('../../keys/age.ts');
  const { identity, recipient } = await generateIdentity(classic ? 'x25519' : 'post-quantum');
  output.redactor.add(identity);
  const file = context.path(path);
  await writeNewFile(file, identityText(identity, recipient), SECRET_MODE);
  await output.result({ ok: true, file, recipient }, () => `identity written to ${file}: keep it secret and safe\nits recipient:\n${recipient}`);
  return EXIT.ok;
}
