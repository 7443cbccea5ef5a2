import { access } from 'node:fs/promises';
import type { OpenerConfig } from '../../config/keys-schema.ts';
import type { Config } from '../../config/load.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { SlotSecret } from '../../keys/index.ts';
import { createRepository, headerLost, openReader, unlock } from '../../repository/index.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny, passphraseFile } from '../../access/key-files.ts';
import { asOpeners, unlockVaults, unlockWith } from '../../access/repository.ts';
import type { InitOptions } from './answers.ts';
import { newIdentityFile, recipientsOfFiles, refuseExisting, servicesOf, withoutText } from './create.ts';
import { establishRepository, vaultsWithRemains, vaultsWithRepository, withAllVaults } from './establish.ts';
import type { NewFile } from './establish.ts';
import type { InitReport } from './report.ts';

/** Makes what lifeboat.yaml describes and is not there yet: keys and repository, or the repository in vaults that were added. */
export async function extendFromConfig(context: Context, options: InitOptions): Promise<InitReport> {
  const config = await context.config();
  const file = context.path(context.configFile);
  return withAllVaults([...config.vaults.values()], async (vaults) => {
    const having = await vaultsWithRepository(vaults, context.signal);
    const listing = vaults.map((vault) => ({ name: vault.name, location: vault.location, created: !having.includes(vault) }));
    const about = { config: file, vaults: listing };
    const lost = having.length === 0 ? await vaultsWithRemains(vaults, context.signal) : [];
    if (lost[0] !== undefined) {
      const repository = await restoreHeaders(context, vaults, lost[0], options);
      return { ...about, files: [], repository, recipients: [] };
    }
    if (having.length === 0) {
      const { secrets, identity, recipients } = await opening(context, config, options);
      const writeKeyFile = config.writeKey?.file;
      if (writeKeyFile !== undefined) await refuseExisting(writeKeyFile);
      const { repository, files } = await establishRepository(context, vaults, secrets, (writeKey) => [
        ...(identity === undefined ? [] : [identity]),
        ...(writeKeyFile === undefined ? [] : [{ path: writeKeyFile, kind: 'write-key' as const, text: `${writeKey}\n` }]),
      ]);
      if (writeKeyFile === undefined) {
        context.output.warn({ kind: 'no-write-key-file', message: 'lifeboat.yaml names no file for the write key: get it with `lifeboat keys export --role write`' });
      }
      return { ...about, files: files.map(withoutText), repository, recipients };
    }
    const repository = having.length < vaults.length ? await spread(context, vaults, having, options) : await complete(context, vaults, options);
    return { ...about, files: [], repository, recipients: [] };
  });
}

/** Puts the repository into more vaults, which takes the keys: only who can open it may say where it is. */
async function spread(context: Context, vaults: readonly Vault[], having: readonly Vault[], options: InitOptions): Promise<string> {
  const { id } = await createRepository({ vaults, keys: await unlockVaults(context, having, options, 'owner'), slots: [], signal: context.signal });
  return id;
}

/** Where every vault has the repository: what else it lacks is put back if there is a key, and nothing done if there is none. */
async function complete(context: Context, vaults: readonly Vault[], options: InitOptions): Promise<string> {
  const openers = await loadOpenersIfAny(context, options, 'owner', () => {});
  if (openers.length > 0) {
    const { id } = await createRepository({ vaults, keys: await unlockWith(context, vaults, openers, 'owner'), slots: [], signal: context.signal });
    return id;
  }
  const reader = await openReader({ vaults, signal: context.signal, onWarning: context.output.warn });
  await reader.close();
  return reader.id;
}

/**
 * Makes the header again where no vault has it, with the keys in the key slots that are left. Throws
 * `LB_REPO_HEADER_LOST` when nothing is at hand that opens one: a new repository would make every point look forged.
 */
async function restoreHeaders(context: Context, vaults: readonly Vault[], lost: Vault, options: InitOptions): Promise<string> {
  const { signal, output } = context;
  const openers = await loadOpenersIfAny(context, options, 'owner', () => {});
  if (openers.length === 0) throw headerLost(lost);
  const { keys, slot } = await unlock(vaults, asOpeners(openers), { signal, onWarning: output.warn }).catch((error: unknown) => {
    throw isLifeboatError(error) && UNOPENED.has(error.code) ? headerLost(lost, error) : error;
  });
  const { id } = await createRepository({ vaults, keys, slots: [], openedSlot: slot, signal });
  return id;
}

/** Failures that say that the keys at hand open nothing in the vault. */
const UNOPENED: ReadonlySet<string> = new Set(['LB_KEY_WRONG', 'LB_REPO_MISSING']);

interface Opening {
  readonly secrets: readonly SlotSecret[];
  readonly identity: NewFile | undefined;
  readonly recipients: readonly string[];
}

/** What shall open the new repository: what the options say, else what `keys.read` says; its identity file is made when it is not there. */
async function opening(context: Context, config: Config, options: InitOptions): Promise<Opening> {
  const recipients = [...(options.recipient ?? []), ...(await recipientsOfFiles(context, options.identity ?? []))];
  const passphrases: string[] = [];
  let identity: NewFile | undefined;
  const source = options.passphraseFile === undefined && recipients.length === 0 ? config.readKey : undefined;
  if (options.passphraseFile !== undefined) passphrases.push((await passphraseFile(context.path(options.passphraseFile))).text);
  if (source?.passphraseFile !== undefined) passphrases.push((await passphraseFile(source.passphraseFile)).text);
  if (source?.identityFile !== undefined) {
    const there = await access(source.identityFile).then(
      () => true,
      () => false,
    );
    if (there) {
      recipients.push(...(await recipientsOfFiles(context, [source.identityFile])));
    } else {
      const made = await newIdentityFile(context, source.identityFile);
      recipients.push(made.recipient);
      identity = made.file;
    }
  }
  for (const passphrase of passphrases) context.output.redactor.add(passphrase);
  const services = [...(await servicesOf(context, options)), ...(await configuredServices(context, source))];
  if (recipients.length + passphrases.length + services.length === 0) {
    throw new LifeboatError('LB_KEY_MISSING', 'Nothing says what shall open the new repository', {
      where: config.file,
      hint: 'Name an `identityFile` under `keys.read` (it is made if it is not there), or give --recipient age1… or --passphrase-file FILE.',
    });
  }
  if (recipients.length + passphrases.length === 0) {
    context.output.warn({ kind: 'only-key-services', message: 'Only key services open the new repository: it is lost with them. Add an identity or a passphrase: `lifeboat keys add`' });
  }
  return {
    secrets: [
      ...recipients.map((recipient): SlotSecret => ({ kind: 'age', recipient })),
      ...passphrases.map((passphrase): SlotSecret => ({ kind: 'passphrase', passphrase })),
      ...services,
    ],
    identity,
    recipients,
  };
}

async function configuredServices(context: Context, source: OpenerConfig | undefined): Promise<readonly SlotSecret[]> {
  const { configuredKms } = await import('../../access/kms.ts');
  return (source?.kms ?? []).map((key) => ({ kind: 'kms', provider: configuredKms(context, key) }));
}
