import { access } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configTemplate } from '../../config/template.ts';
import type { ReadInFile } from '../../config/template.ts';
import { LifeboatError } from '../../core/errors.ts';
import { generateIdentity, parseKmsKey, recipientOf } from '../../keys/index.ts';
import type { SlotSecret } from '../../keys/index.ts';
import type { VaultConfig } from '../../vault/config.ts';
import type { Context } from '../context.ts';
import { identityText } from '../identity.ts';
import { identityFile, passphraseFile } from '../../access/key-files.ts';
import { existsError } from '../new-file.ts';
import type { InitOptions } from './answers.ts';
import { besideConfig, IDENTITY_FILE, inFile, siteAnswer, vaultAnswers, vaultInFile, WRITE_KEY_FILE } from './answers.ts';
import { establishRepository, refuseLostHeaders, vaultsWithRepository, withAllVaults, writeFiles } from './establish.ts';
import type { NewFile } from './establish.ts';
import type { InitReport } from './report.ts';

/** What shall open a new repository, and how lifeboat.yaml says where it is. */
interface Opening {
  readonly secrets: readonly SlotSecret[];
  readonly read: ReadInFile | undefined;
  readonly identity: NewFile | undefined;
  readonly recipients: readonly string[];
}

/** Writes a new lifeboat.yaml; with vaults given, keys are made and the vaults set up as well. */
export async function createFromOptions(context: Context, options: InitOptions): Promise<InitReport> {
  const config = context.path(context.configFile);
  const { name, site } = await siteAnswer(context, options);
  const vaults = vaultAnswers(context, options.vault ?? []);
  const example: VaultConfig = { type: 'directory', name: 'local', path: besideConfig(context, 'lifeboat-vault') };
  const text = (read: Opening['read']): string =>
    configTemplate({
      schema: schemaPath(config),
      siteName: name,
      site,
      vaults: new Map((vaults.length > 0 ? vaults : [example]).map((vault) => [vault.name, vaultInFile(context, vault)])),
      writeKeyFile: WRITE_KEY_FILE,
      read,
    });
  if (vaults.length === 0) {
    const read = withServices(namedReadKey(context, options) ?? { identityFile: IDENTITY_FILE }, options);
    const files = await writeFiles([{ path: config, kind: 'config', text: text(options.recipient === undefined || options.identity !== undefined ? read : undefined) }]);
    return { config, files: files.map(withoutText), vaults: [], repository: undefined, recipients: [] };
  }

  const writeKeyFile = besideConfig(context, WRITE_KEY_FILE);
  for (const path of [writeKeyFile, besideConfig(context, IDENTITY_FILE)]) await refuseExisting(path);
  return withAllVaults(vaults, async (opened) => {
    const [taken] = await vaultsWithRepository(opened, context.signal);
    if (taken !== undefined) {
      throw new LifeboatError('LB_REPO_EXISTS', `Vault "${taken.name}" holds a repository already`, {
        where: taken.location,
        hint: 'Use another folder or prefix. To use that repository from here, run `lifeboat init` without --vault, name the vault in lifeboat.yaml, and get its write key with `lifeboat keys export --role write -o lifeboat-write.key`.',
      });
    }
    await refuseLostHeaders(opened, context.signal);
    const opening = withKeyServices(await newOpening(context, options), await servicesOf(context, options), options);
    const { repository, files } = await establishRepository(context, opened, opening.secrets, (writeKey) => [
      ...(opening.identity === undefined ? [] : [opening.identity]),
      { path: writeKeyFile, kind: 'write-key', text: `${writeKey}\n` },
      { path: config, kind: 'config', text: text(opening.read) },
    ]);
    return {
      config,
      files: files.map(withoutText),
      vaults: opened.map(({ name: vault, location }) => ({ name: vault, location, created: true })),
      repository,
      recipients: opening.recipients,
    };
  });
}

/** The key services that shall open a new repository too. */
export async function servicesOf(context: Context, { kms = [] }: InitOptions): Promise<readonly SlotSecret[]> {
  const { namedKms } = await import('../../access/kms.ts');
  return Promise.all(kms.map(async (key): Promise<SlotSecret> => ({ kind: 'kms', provider: await namedKms(context, parseKmsKey(key)) })));
}

function withKeyServices(opening: Opening, services: readonly SlotSecret[], options: InitOptions): Opening {
  return { ...opening, secrets: [...opening.secrets, ...services], read: withServices(opening.read, options) };
}

function withServices(read: ReadInFile | undefined, { kms }: InitOptions): ReadInFile | undefined {
  return kms === undefined ? read : { ...read, kms: kms.map((key) => ({ key })) };
}

/** What the options name to open the repository with, as lifeboat.yaml says it: one source, the passphrase first. */
function namedReadKey(context: Context, { identity, passphraseFile: passphrase }: InitOptions): Opening['read'] {
  if (passphrase !== undefined) return { passphraseFile: inFile(context, context.path(passphrase)) };
  const [first] = identity ?? [];
  return first === undefined ? undefined : { identityFile: inFile(context, context.path(first)) };
}

/** By passphrase, by the recipients and identities given, or else by a new identity. */
async function newOpening(context: Context, options: InitOptions): Promise<Opening> {
  const recipients = [...(options.recipient ?? []), ...(await recipientsOfFiles(context, options.identity ?? []))];
  const secrets: SlotSecret[] = recipients.map((recipient) => ({ kind: 'age', recipient }));
  if (options.passphraseFile !== undefined) {
    const { text } = await passphraseFile(context.path(options.passphraseFile));
    context.output.redactor.add(text);
    secrets.push({ kind: 'passphrase', passphrase: text });
    return { secrets, read: namedReadKey(context, options), identity: undefined, recipients };
  }
  if (secrets.length > 0) return { secrets, read: namedReadKey(context, options), identity: undefined, recipients };
  const made = await newIdentityFile(context, besideConfig(context, IDENTITY_FILE));
  return { secrets: [{ kind: 'age', recipient: made.recipient }], read: { identityFile: IDENTITY_FILE }, identity: made.file, recipients: [made.recipient] };
}

/** The recipients of the identities in files. Throws `LB_KEY_MISSING`, `LB_KEY_INVALID`. */
export async function recipientsOfFiles(context: Context, files: readonly string[]): Promise<readonly string[]> {
  const recipients: string[] = [];
  for (const file of files) {
    const { identities } = await identityFile(context.path(file));
    for (const one of identities) context.output.redactor.add(one);
    recipients.push(...(await Promise.all(identities.map(recipientOf))));
  }
  return recipients;
}

/** A new identity, as the file that is to be written. */
export async function newIdentityFile(context: Context, path: string): Promise<{ readonly file: NewFile; readonly recipient: string }> {
  const { identity, recipient } = await generateIdentity('post-quantum');
  context.output.redactor.add(identity);
  return { recipient, file: { path, kind: 'identity', text: identityText(identity, recipient) } };
}

export function withoutText({ path, kind }: NewFile): InitReport['files'][number] {
  return { path, kind };
}

/** Throws `LB_CONFIG_EXISTS` if there is a file. */
export async function refuseExisting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw existsError(path);
}

/** Where editors find the schema: relative if it is near, so that it holds for everyone who has the same folders. */
function schemaPath(config: string): string {
  const schema = fileURLToPath(new URL('../../../lifeboat.schema.json', import.meta.url));
  const near = relative(dirname(resolve(config)), schema);
  return near.startsWith('../../') ? schema : near.startsWith('..') ? near : `./${near}`;
}
