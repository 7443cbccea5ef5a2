import { Option } from 'commander';
import { addReadKeyOptions, addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { KeysListOptions } from '../keys/list.ts';
import type { KeysRotateOptions } from '../keys/rotate.ts';
import type { KeysAddOptions, KeysRemoveOptions } from '../keys/slots.ts';
import type { ExportOptions } from '../keys/export.ts';

/** `lifeboat keys …` */
export const defineKeys: Define = (parent, run) => {
  const keys = parent
    .command('keys')
    .summary('who can open the repository')
    .description(
      'Key slots say who can open the repository: each holds its keys, or those of one role alone, sealed for a passphrase, an age recipient or a key of a key service. The write key, which only adds recovery points, opens none.',
    );

  addVaultOptions(keys.command('list').summary('list the key slots').description('Lists the key slots of the vaults. Needs no key.'))
    .addHelpText('after', helpTail([['keys list', 'who can open the repository']], [[0, 'listed'], ...COMMON_EXITS]))
    .action(run(async (context, options: KeysListOptions) => (await import('../keys/list.ts')).listKeys(context, options)));

  const add = keys
    .command('add')
    .summary('let another passphrase, identity or key service open the repository')
    .description('Adds a key slot to every vault. Needs a key that opens the repository.')
    .option('--new-passphrase-file <file>', 'file whose first line is the new passphrase')
    .addOption(new Option('--recipient <age1…>', 'age recipient whose identity shall open it; can be repeated').argParser(collect))
    .addOption(new Option('--aws-kms <arn>', 'symmetric key of AWS KMS; can be repeated').argParser(collect))
    .addOption(new Option('--vault-transit <url/key>', 'key of the transit engine of OpenBao or Vault: https://HOST/ENGINE/KEY; can be repeated').argParser(collect))
    .addOption(new Option('--gcp-kms <name>', 'symmetric key of Google Cloud KMS: projects/…/cryptoKeys/KEY; can be repeated').argParser(collect))
    .addOption(new Option('--azure-key-vault <url>', 'RSA key of Azure Key Vault: https://NAME.vault.azure.net/keys/KEY; can be repeated').argParser(collect))
    .addOption(
      new Option('--role <role>', 'what the slot holds: everything, or the key of one role alone').choices(['owner', 'read', 'maintain']).default('owner'),
    );
  addReadKeyOptions(addVaultOptions(add))
    .addHelpText(
      'after',
      helpTail(
        [
          ['keys add --recipient age1…', 'a colleague’s identity'],
          ['keys add --new-passphrase-file spare.txt', 'a passphrase for the safe'],
          ['keys add --aws-kms arn:aws:kms:eu-central-1:111122223333:key/…', 'whoever may use this key in AWS KMS'],
          ['keys add --recipient age1… --role read', 'an identity that reads and verifies points, and can add none'],
        ],
        [[0, 'added'], ...COMMON_EXITS],
      ),
    )
    .action(run(async (context, options: KeysAddOptions) => (await import('../keys/slots.ts')).addKey(context, options)));

  const rotate = keys
    .command('rotate')
    .summary('lock key slots of key services anew')
    .description(
      'Locks the key slots of key services anew, under the newest versions of their keys, so that older versions can be retired. No other object is rewritten. Only services that lifeboat.yaml or --kms names are called.',
    )
    .argument('[slot]', 'the slot, or the beginning of it, as `keys list` shows it (default: all)');
  addReadKeyOptions(addVaultOptions(rotate))
    .addHelpText(
      'after',
      helpTail([['keys rotate', 'after a key was rotated in its service']], [[0, 'every slot is under the newest version'], [3, 'some were left as they were'], ...COMMON_EXITS]),
    )
    .action(run(async (context, slot: string | undefined, options: KeysRotateOptions) => (await import('../keys/rotate.ts')).rotateKeys(context, slot, options)));

  const remove = keys
    .command('remove')
    .summary('take a key slot away')
    .description(
      'Removes a key slot from every vault. Never the last one that opens everything. Needs the maintain key, or a key that opens everything. Whoever has a copy of the slot and its key can still open what was stored: for what matters, start a new repository.',
    )
    .argument('<slot>', 'the slot, or the beginning of it, as `keys list` shows it')
    .option('-y, --yes', 'do not ask');
  addReadKeyOptions(addVaultOptions(remove))
    .addHelpText('after', helpTail([['keys remove 4be1c0', 'by the beginning of the slot']], [[0, 'removed'], ...COMMON_EXITS]))
    .action(run(async (context, slot: string, options: KeysRemoveOptions) => (await import('../keys/slots.ts')).removeKey(context, slot, options)));

  const exported = keys
    .command('export')
    .summary('write the key of one role to a file')
    .description(
      'Writes the key of one role, taken from a key that opens the repository: the write key for a backup machine, the read key for restores and verification, the maintain key for removals.',
    )
    .addOption(new Option('--role <role>', 'which key').choices(['write', 'read', 'maintain']).makeOptionMandatory())
    .option('-o, --output <file>', 'where to; never overwritten (default: stdout)');
  addReadKeyOptions(addVaultOptions(exported))
    .addHelpText(
      'after',
      helpTail(
        [
          ['keys export --role write -o lifeboat-write.key', 'for a new backup machine, or when the file was lost'],
          ['keys export --role maintain -o lifeboat-maintain.key', 'for the machine that cleans up'],
        ],
        [[0, 'written'], ...COMMON_EXITS],
      ),
    )
    .action(run(async (context, options: ExportOptions) => (await import('../keys/export.ts')).exportKey(context, options)));

  keys
    .command('new-identity')
    .summary('make an age identity')
    .description('Makes an age identity: the file opens repositories, its recipient (age1…) is what they are told. It resists quantum computers, unless --classic is said.')
    .argument('<file>', 'where to; never overwritten')
    .option('--classic', 'an X25519 identity, for other age programs that know no other')
    .addHelpText('after', helpTail([['keys new-identity spare.txt', 'an identity, and its recipient on the screen']], [[0, 'made'], ...COMMON_EXITS]))
    .action(
      run(async (context, file: string, options: { readonly classic?: boolean }) => (await import('../keys/export.ts')).newIdentity(context, file, options.classic === true)),
    );
};
