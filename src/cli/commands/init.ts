import { Option } from 'commander';
import { collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { InitOptions } from '../init/answers.ts';

/** `lifeboat init` */
export const defineInit: Define = (parent, run) => {
  parent
    .command('init')
    .summary('write lifeboat.yaml, make keys, set up vaults')
    .description(
      'Writes a commented lifeboat.yaml, makes keys, and sets up the repository in the vaults. Overwrites nothing. Where lifeboat.yaml exists already it only makes what is missing: the repository in vaults that were added, or the lifeboat.json that a vault has lost, which takes a key that opens the repository.',
    )
    .option('--site <name>', 'what the cluster shall be called (default: as its context)')
    .option('--kubeconfig <file>', 'kubeconfig of the cluster (default: $KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig (default: its current one, which is written down)')
    .addOption(
      new Option(
        '--vault <address>',
        'where recovery points go: dir:PATH, s3://BUCKET/PREFIX (?endpoint=URL, region=R, pathStyle=true, profile=P), gs://BUCKET/PREFIX (?endpoint=URL, keyFile=FILE, keyEnv=NAME) or azure://ACCOUNT/CONTAINER/PREFIX (?endpoint=URL, sasEnv=NAME, accountKeyEnv=NAME, connectionStringEnv=NAME); parameters are joined by &; lock=true for buckets that can lock; NAME= in front gives it a name; can be repeated',
      ).argParser(collect),
    )
    .addOption(
      new Option('--identity <file>', 'open the repository by the age identity in this file: the one that opens it already, or that shall open a new one; can be repeated').argParser(collect),
    )
    .option('--passphrase-file <file>', 'open the repository by the passphrase on the first line of this file, instead of an identity')
    .addOption(
      new Option('--recipient <age1…>', 'open the repository by the identity of this age recipient, instead of a new one; can be repeated').argParser(collect),
    )
    .addOption(
      new Option('--kms <key>', 'also open the repository by this key of a key service, such as aws-kms:ARN (docs/keys.md); can be repeated').argParser(collect),
    )
    .addHelpText(
      'after',
      helpTail(
        [
          ['init --kubeconfig ~/.kube/config --context prod --vault dir:/mnt/backups', 'one cluster, one folder'],
          ['init --vault near=dir:/mnt/backups --vault "far=s3://backups/prod?region=eu-central-1"', 'two vaults'],
          ['init --vault "azure://myaccount/backups?sasEnv=BACKUP_SAS" --vault gs://my-backups/prod', 'two clouds'],
          ['init', 'in a folder with a lifeboat.yaml: set up the vaults that were added to it'],
          ['init --identity lifeboat-identity.txt', 'the same, with the key that opens the repository'],
        ],
        [[0, 'set up'], ...COMMON_EXITS],
      ),
    )
    .action(run(async (context, options: InitOptions) => (await import('../init/init.ts')).init(context, options)));
};
