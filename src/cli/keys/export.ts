import { EXIT } from '../../core/error-codes.ts';
import type { Context } from '../context.ts';
import { identityText } from '../identity.ts';
import { SECRET_MODE, writeNewFile } from '../new-file.ts';
import { unlockRepository } from '../repository.ts';
import type { ReadKeyOptions, VaultOptions } from '../command.ts';

export interface ExportWriteKeyOptions extends VaultOptions, ReadKeyOptions {
  readonly output?: string;
}

/** `lifeboat keys export-write-key`: to a file, or as it is to stdout. */
export async function exportWriteKey(context: Context, options: ExportWriteKeyOptions): Promise<number> {
  const { output } = context;
  const { formatWriteKey } = await import('../../keys/index.ts');
  const text = formatWriteKey(await unlockRepository(context, options));
  if (options.output === undefined) {
    if (context.globals.json === true) await output.verbatim(`${JSON.stringify({ ok: true, writeKey: text }, null, 2)}\n`);
    else await output.verbatim(`${text}\n`);
    return EXIT.ok;
  }
  output.redactor.add(text);
  const file = context.path(options.output);
  await writeNewFile(file, `${text}\n`, SECRET_MODE);
  await output.result({ ok: true, file }, () => `write key written to ${file}\nIt adds recovery points and cannot read them: keep it on the machine that makes backups.`);
  return EXIT.ok;
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
