import { readFile, stat } from 'node:fs/promises';
import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Warning } from '../core/progress.ts';
import type { WriteKey } from '../keys/index.ts';
import type { ReadKeyOptions } from './command.ts';
import type { Context } from './context.ts';
import { askSecret, canAsk } from './prompt.ts';

/** Something that may open the repository, and where it was found (never what it is). */
export type Opener =
  | { readonly kind: 'identity'; readonly text: string; readonly identities: readonly string[]; readonly from: string }
  | { readonly kind: 'passphrase'; readonly text: string; readonly from: string };

/**
 * The write key of lifeboat.yaml. Its text is never shown from then on.
 * Throws `LB_KEY_MISSING` and `LB_KEY_INVALID`.
 */
export async function loadWriteKey(context: Context): Promise<WriteKey> {
  const config = await context.config();
  const source = config.writeKey;
  if (source === undefined) {
    throw new LifeboatError('LB_KEY_MISSING', 'A backup needs the write key', {
      where: config.file,
      hint: 'Name its file under `keys.write`; `lifeboat init` makes one, `lifeboat keys export-write-key` gets it back.',
    });
  }
  const { text, from } =
    source.file === undefined ? secretFromEnv(context, source.env ?? '', 'write key') : await secretFromFile(source.file, 'write key');
  context.output.redactor.add(text);
  const { parseWriteKey } = await import('../keys/index.ts');
  try {
    return parseWriteKey(text);
  } catch (error) {
    throw located(error, from);
  }
}

/**
 * What may open the repository, in the order to be tried: what the command line names, else `keys.read` of
 * lifeboat.yaml, else a passphrase asked for on a terminal, if `takesPassphrase` says that one would be of use.
 * Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`.
 */
export async function loadOpeners(context: Context, options: ReadKeyOptions, takesPassphrase: () => Promise<boolean>): Promise<readonly Opener[]> {
  const openers = (await namedOpeners(context, options)) ?? (await configuredOpeners(context));
  if (openers.length > 0) return remembered(context, openers);
  if (!canAsk(context.terminal) || context.globals.json === true || !(await takesPassphrase())) {
    throw new LifeboatError('LB_KEY_MISSING', 'This needs a key that opens the repository', {
      hint: 'Give --identity FILE or --passphrase-file FILE, or name one under `keys.read` in lifeboat.yaml.',
    });
  }
  const text = await askSecret(context.terminal, 'Passphrase of the repository: ', context.signal);
  return remembered(context, [{ kind: 'passphrase', text, from: 'the terminal' }]);
}

/**
 * The same for what can do without: none, instead of an error or a question, when no key is configured; and when one is
 * configured that is not there (as it should not be on a machine that only makes backups), `onMissing` is told.
 * Throws `LB_KEY_MISSING` for what the command line names, and `LB_KEY_INVALID`.
 */
export async function loadOpenersIfAny(
  context: Context,
  options: ReadKeyOptions,
  onMissing: (error: LifeboatError) => void = (error) => context.output.warn(goingWithout(error)),
): Promise<readonly Opener[]> {
  const named = await namedOpeners(context, options);
  if (named !== undefined) return remembered(context, named);
  try {
    return remembered(context, await configuredOpeners(context));
  } catch (error) {
    if (!isLifeboatError(error, 'LB_KEY_MISSING')) throw error;
    onMissing(error);
    return [];
  }
}

function goingWithout(error: LifeboatError): Warning {
  return { kind: 'key-missing', message: `Going on without a key that opens the repository: ${error.message}`, ...(error.where !== undefined && { where: error.where }) };
}

async function namedOpeners(context: Context, options: ReadKeyOptions): Promise<readonly Opener[] | undefined> {
  const openers: Opener[] = [];
  for (const file of options.identity ?? []) openers.push(await identityFile(context.path(file)));
  if (options.passphraseFile !== undefined) openers.push(await passphraseFile(context.path(options.passphraseFile)));
  return openers.length > 0 ? openers : undefined;
}

async function configuredOpeners(context: Context): Promise<readonly Opener[]> {
  const source = (await context.configIfAny())?.readKey;
  const openers: Opener[] = [];
  if (source?.identityFile !== undefined) openers.push(await identityFile(source.identityFile));
  if (source?.identityEnv !== undefined) openers.push(await identityOpener(secretFromEnv(context, source.identityEnv, 'identity')));
  if (source?.passphraseFile !== undefined) openers.push(await passphraseFile(source.passphraseFile));
  if (source?.passphraseEnv !== undefined) openers.push({ kind: 'passphrase', ...secretFromEnv(context, source.passphraseEnv, 'passphrase') });
  return openers;
}

function remembered(context: Context, openers: readonly Opener[]): readonly Opener[] {
  for (const opener of openers) context.output.redactor.add(opener.text);
  return openers;
}

/** The identities of an identity file. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`. */
export async function identityFile(path: string): Promise<Extract<Opener, { kind: 'identity' }>> {
  return identityOpener(await secretFromFile(path, 'identity'));
}

async function identityOpener({ text, from }: { readonly text: string; readonly from: string }): Promise<Extract<Opener, { kind: 'identity' }>> {
  const { parseIdentities } = await import('../keys/index.ts');
  try {
    return { kind: 'identity', text, from, identities: parseIdentities(text) };
  } catch (error) {
    throw located(error, from);
  }
}

/** The first line of a passphrase file, without its line end. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID` when it is empty. */
export async function passphraseFile(path: string): Promise<Opener> {
  const { text, from } = await secretFromFile(path, 'passphrase');
  const line = text.split(/\r?\n/, 1).join('');
  if (line === '') {
    throw new LifeboatError('LB_KEY_INVALID', 'The passphrase file is empty', { where: from, hint: 'Its first line is the passphrase.' });
  }
  return { kind: 'passphrase', text: line, from };
}

async function secretFromFile(path: string, what: string): Promise<{ readonly text: string; readonly from: string }> {
  try {
    return { text: await readFile(path, 'utf8'), from: path };
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new LifeboatError('LB_KEY_MISSING', absent ? `The ${what} file is not there` : `The ${what} file cannot be read: ${messageOf(error)}`, {
      where: path,
      hint: absent ? 'Bring it from where it is kept, or name another.' : 'Let the user that lifeboat runs as read it.',
      cause: error,
    });
  }
}

function secretFromEnv(context: Context, name: string, what: string): { readonly text: string; readonly from: string } {
  const text = context.env[name];
  if (text === undefined || text === '') {
    throw new LifeboatError('LB_KEY_MISSING', `The environment variable for the ${what} is not set`, { where: `$${name}`, hint: `Set ${name}.` });
  }
  return { text, from: `$${name}` };
}

/** The same error, with where the key came from. */
export function located(error: unknown, from: string): unknown {
  if (!isLifeboatError(error) || error.where !== undefined) return error;
  return new LifeboatError(error.code, error.message, { where: from, ...(error.hint !== undefined && { hint: error.hint }), cause: error });
}

/** True if others than the owner may read the file. Always false where modes mean nothing. */
export async function readableByOthers(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const { mode } = await stat(path);
  return (mode & 0o077) !== 0;
}
