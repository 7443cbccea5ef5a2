import { access } from 'node:fs/promises';
import type { Config } from '../../config/load.ts';
import { LifeboatError } from '../../core/errors.ts';
import { recipientOf } from '../../keys/index.ts';
import type { SlotSecret } from '../../keys/index.ts';
import { createRepository } from '../../repository/index.ts';
import type { Context } from '../context.ts';
import { identityFile, passphraseFile } from '../key-files.ts';
import { unlockVaults } from '../repository.ts';
import type { InitOptions } from './answers.ts';
import { newIdentityFile, refuseExisting, withoutText } from './create.ts';
import { establishRepository, vaultsWithRepository, withAllVaults } from './establish.ts';
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
    if (having.length === 0) {
      const { secrets, identity, recipients } = await opening(context, config, options);
      const writeKeyFile = config.writeKey?.file;
      if (writeKeyFile !== undefined) await refuseExisting(writeKeyFile);
      const { repository, files } = await establishRepository(context, vaults, secrets, (writeKey) => [
        ...(identity === undefined ? [] : [identity]),
        ...(writeKeyFile === undefined ? [] : [{ path: writeKeyFile, kind: 'write-key' as const, text: `${writeKey}\n` }]),
      ]);
      if (writeKeyFile === undefined) {
        context.output.warn({ kind: 'no-write-key-file', message: 'lifeboat.yaml names no file for the write key: get it with `lifeboat keys export-write-key`' });
      }
      return { ...about, files: files.map(withoutText), repository, recipients };
    }
    // Putting it into more vaults takes the keys: only who can open the repository may say where it is.
    const keys = await unlockVaults(context, having, options.passphraseFile === undefined ? {} : { passphraseFile: options.passphraseFile });
    const { id } = await createRepository({ vaults, keys, slots: [], signal: context.signal });
    return { ...about, files: [], repository: id, recipients: [] };
  });
}

interface Opening {
  readonly secrets: readonly SlotSecret[];
  readonly identity: NewFile | undefined;
  readonly recipients: readonly string[];
}

/** What shall open the new repository: what the options say, else what `keys.read` says; its identity file is made when it is not there. */
async function opening(context: Context, config: Config, options: InitOptions): Promise<Opening> {
  const recipients = [...(options.recipient ?? [])];
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
      const { identities } = await identityFile(source.identityFile);
      for (const one of identities) context.output.redactor.add(one);
      recipients.push(...(await Promise.all(identities.map(recipientOf))));
    } else {
      const made = await newIdentityFile(context, source.identityFile);
      recipients.push(made.recipient);
      identity = made.file;
    }
  }
  for (const passphrase of passphrases) context.output.redactor.add(passphrase);
  if (recipients.length + passphrases.length === 0) {
    throw new LifeboatError('LB_KEY_MISSING', 'Nothing says what shall open the new repository', {
      where: config.file,
      hint: 'Name an `identityFile` under `keys.read` (it is made if it is not there), or give --recipient age1… or --passphrase-file FILE.',
    });
  }
  return {
    secrets: [
      ...recipients.map((recipient): SlotSecret => ({ kind: 'age', recipient })),
      ...passphrases.map((passphrase): SlotSecret => ({ kind: 'passphrase', passphrase })),
    ],
    identity,
    recipients,
  };
}
