import { resolve } from 'node:path';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { Warning } from '../core/progress.ts';
import type { OpenerConfig } from '../config/keys-schema.ts';
import type { KmsProvider, RoleKey, SlotRole, WriteKey } from '../keys/index.ts';
import type { SlotListing } from '../repository/index.ts';
import type { ReadKeyOptions } from './options.ts';
import type { Surroundings } from './surroundings.ts';
import { located, secretFromEnv, secretFromFile } from './secret-source.ts';
import type { FoundSecret } from './secret-source.ts';

/** Something that may open the repository, and where it was found (never what it is). */
export type Opener =
  | { readonly kind: 'identity'; readonly text: string; readonly identities: readonly string[]; readonly from: string }
  | { readonly kind: 'passphrase'; readonly text: string; readonly from: string }
  | { readonly kind: 'role-key'; readonly text: string; readonly key: RoleKey; readonly from: string }
  | { readonly kind: 'kms'; readonly provider: KmsProvider };

/**
 * The write key of lifeboat.yaml. Its text is never shown from then on.
 * Throws `LB_KEY_MISSING` and `LB_KEY_INVALID`.
 */
export async function loadWriteKey(surroundings: Surroundings): Promise<WriteKey> {
  const config = await surroundings.config();
  const source = config.writeKey;
  if (source === undefined) {
    throw new LifeboatError('LB_KEY_MISSING', 'A backup needs the write key', {
      where: config.file,
      hint: 'Name its file under `keys.write`; `lifeboat init` makes one, `lifeboat keys export --role write` gets it back.',
    });
  }
  const { text, from } =
    source.file === undefined ? secretFromEnv(surroundings, source.env ?? '', 'write key') : await secretFromFile(source.file, 'write key');
  surroundings.hide(text);
  const { parseWriteKey } = await import('../keys/index.ts');
  try {
    return parseWriteKey(text);
  } catch (error) {
    throw located(error, from);
  }
}

/** The same, and undefined where there is none: it tells the repository from an imitation, and what asks for it can do without. Throws `LB_KEY_INVALID`. */
export async function loadWriteKeyIfAny(surroundings: Surroundings): Promise<WriteKey | undefined> {
  if ((await surroundings.configIfAny())?.writeKey === undefined) return undefined;
  try {
    return await loadWriteKey(surroundings);
  } catch (error) {
    if (isLifeboatError(error, 'LB_KEY_MISSING')) return undefined;
    throw error;
  }
}

/**
 * What may give keys of a role, in the order to be tried: what the command line names, else what lifeboat.yaml does,
 * else a passphrase asked for on a terminal, if there is a slot that takes one. A key service that only a slot names is
 * not among them. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`.
 */
export async function loadOpeners(
  surroundings: Surroundings,
  options: ReadKeyOptions,
  role: SlotRole,
  slots: () => Promise<readonly SlotListing[]>,
): Promise<readonly Opener[]> {
  const openers = (await namedOpeners(surroundings, options)) ?? (await configuredOpeners(surroundings, role));
  if (openers.length > 0) return remembered(surroundings, openers);
  const there = await slots();
  const ask = surroundings.askPassphrase;
  if (ask === undefined || there.every((slot) => slot.kind !== 'passphrase')) throw await noKey(there);
  const text = await ask();
  return remembered(surroundings, [{ kind: 'passphrase', text, from: 'the terminal' }]);
}

async function noKey(slots: readonly SlotListing[]): Promise<LifeboatError> {
  const { allowHint } = await import('../repository/index.ts');
  const services = slots.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const hint = 'Give --identity FILE or --passphrase-file FILE, or name one under `keys.read` in lifeboat.yaml.';
  return new LifeboatError('LB_KEY_MISSING', 'This needs a key that opens the repository', {
    hint: services.length === 0 ? hint : `${hint} ${allowHint(services)}`,
  });
}

/**
 * The same for what can do without: none, instead of an error or a question, when no key is configured; and when one is
 * configured that is not there (as it should not be on a machine that only makes backups), `onMissing` is told.
 * Throws `LB_KEY_MISSING` for what the command line names, and `LB_KEY_INVALID`.
 */
export async function loadOpenersIfAny(
  surroundings: Surroundings,
  options: ReadKeyOptions,
  role: SlotRole,
  onMissing: (error: LifeboatError) => void = (error) => surroundings.warn(goingWithout(error)),
): Promise<readonly Opener[]> {
  const named = await namedOpeners(surroundings, options);
  if (named !== undefined) return remembered(surroundings, named);
  try {
    return remembered(surroundings, await configuredOpeners(surroundings, role));
  } catch (error) {
    if (!isLifeboatError(error, 'LB_KEY_MISSING')) throw error;
    onMissing(error);
    return [];
  }
}

function goingWithout(error: LifeboatError): Warning {
  return { kind: 'key-missing', message: `Going on without a key that opens the repository: ${error.message}`, ...(error.where !== undefined && { where: error.where }) };
}

async function namedOpeners(surroundings: Surroundings, options: ReadKeyOptions): Promise<readonly Opener[] | undefined> {
  const openers: Opener[] = [];
  if (options.keyFile !== undefined) openers.push(await roleKey(await secretFromFile(resolve(surroundings.folder, options.keyFile), 'key')));
  for (const file of options.identity ?? []) openers.push(await identityFile(resolve(surroundings.folder, file)));
  for (const key of options.kms ?? []) openers.push(await kmsNamed(surroundings, key));
  if (options.passphraseFile !== undefined) openers.push(await passphraseFile(resolve(surroundings.folder, options.passphraseFile)));
  return openers.length > 0 ? openers : undefined;
}

/** What lifeboat.yaml names for a role. An exported key of another role is none for this one. */
async function configuredOpeners(surroundings: Surroundings, role: SlotRole): Promise<readonly Opener[]> {
  const config = await surroundings.configIfAny();
  const source = role === 'maintain' ? (config?.maintainKey ?? config?.readKey) : config?.readKey;
  const own = role === (source === config?.maintainKey ? 'maintain' : 'read');
  return source === undefined ? [] : openersOf(surroundings, source, own ? role : undefined);
}

async function openersOf(surroundings: Surroundings, source: OpenerConfig, role: SlotRole | undefined): Promise<readonly Opener[]> {
  const openers: Opener[] = [];
  if (role !== undefined) {
    const what = `${role} key`;
    if (source.file !== undefined) openers.push(await roleKey(await secretFromFile(source.file, what), role));
    if (source.env !== undefined) openers.push(await roleKey(secretFromEnv(surroundings, source.env, what), role));
  }
  if (source.identityFile !== undefined) openers.push(await identityFile(source.identityFile));
  if (source.identityEnv !== undefined) openers.push(await identityOpener(secretFromEnv(surroundings, source.identityEnv, 'identity')));
  for (const key of source.kms ?? []) openers.push({ kind: 'kms', provider: (await import('./kms.ts')).configuredKms(surroundings, key) });
  if (source.passphraseFile !== undefined) openers.push(await passphraseFile(source.passphraseFile));
  if (source.passphraseEnv !== undefined) openers.push({ kind: 'passphrase', ...secretFromEnv(surroundings, source.passphraseEnv, 'passphrase') });
  return openers;
}

function remembered(surroundings: Surroundings, openers: readonly Opener[]): readonly Opener[] {
  for (const opener of openers) if (opener.kind !== 'kms') surroundings.hide(opener.text);
  return openers;
}

async function kmsNamed(surroundings: Surroundings, text: string): Promise<Opener> {
  const [{ namedKms }, { parseKmsKey }] = await Promise.all([import('./kms.ts'), import('../keys/index.ts')]);
  return { kind: 'kms', provider: await namedKms(surroundings, parseKmsKey(text)) };
}

/** An exported key: of this role, or of any. Throws `LB_KEY_INVALID`. */
async function roleKey({ text, from }: FoundSecret, role?: SlotRole): Promise<Opener> {
  const { parseMaintainKey, parseReadKey, parseRoleKey } = await import('../keys/index.ts');
  try {
    if (role === 'read') return { kind: 'role-key', text, from, key: { role, keys: parseReadKey(text) } };
    if (role === 'maintain') return { kind: 'role-key', text, from, key: { role, keys: parseMaintainKey(text) } };
    return { kind: 'role-key', text, from, key: parseRoleKey(text) };
  } catch (error) {
    throw located(error, from);
  }
}

/** The identities of an identity file. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`. */
export async function identityFile(path: string): Promise<Extract<Opener, { kind: 'identity' }>> {
  return identityOpener(await secretFromFile(path, 'identity'));
}

async function identityOpener({ text, from }: FoundSecret): Promise<Extract<Opener, { kind: 'identity' }>> {
  const { parseIdentities } = await import('../keys/index.ts');
  try {
    return { kind: 'identity', text, from, identities: parseIdentities(text) };
  } catch (error) {
    throw located(error, from);
  }
}

/** The first line of a passphrase file, without its line end. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID` when it is empty. */
export async function passphraseFile(path: string): Promise<Extract<Opener, { kind: 'passphrase' }>> {
  const { text, from } = await secretFromFile(path, 'passphrase');
  const line = text.split(/\r?\n/, 1).join('');
  if (line === '') {
    throw new LifeboatError('LB_KEY_INVALID', 'The passphrase file is empty', { where: from, hint: 'Its first line is the passphrase.' });
  }
  return { kind: 'passphrase', text: line, from };
}
