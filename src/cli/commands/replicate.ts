import { Option } from 'commander';
import { collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { ReplicateCommandOptions } from '../replicate/replicate.ts';

/** `lifeboat replicate` */
export const defineReplicate: Define = (parent, run) => {
  parent
    .command('replicate')
    .summary('bring vaults level')
    .description(
      'Copies to each vault of a plan the points, and all they need, that another one has and it lacks: after it was away, too slow, or lost something, or when it is new and empty. Copies what is stored as it is, and needs no key. What is damaged is not copied, and what was removed on purpose is not brought back. Can be stopped at any moment and started again.',
    )
    .argument('[plan]', 'which plan of lifeboat.yaml; all by default')
    .addOption(new Option('--from <name|address>', 'copy from this vault only, by its name in lifeboat.yaml or its address; can be repeated').argParser(collect))
    .addOption(new Option('--to <name|address>', 'copy to this vault only; can be repeated').argParser(collect))
    .option('--dry-run', 'say what each vault lacks, and copy nothing')
    .addHelpText(
      'after',
      helpTail(
        [
          ['replicate', 'every plan: each vault gets what it lacks'],
          ['replicate prod --dry-run', 'what that would be'],
          ['replicate --from dir:/mnt/old --to s3://new-bucket/lifeboat', 'fill a new, empty vault; needs no lifeboat.yaml'],
        ],
        [[0, 'all are level'], ...COMMON_EXITS, [3, 'a vault could not be brought level'], [4, 'all are level, but something damaged or forged was met on the way']],
      ),
    )
    .action(run(async (context, plan: string | undefined, options: ReplicateCommandOptions) => (await import('../replicate/replicate.ts')).replicate(context, plan, options)));
};
