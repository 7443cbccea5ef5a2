import { Option } from 'commander';
import { addReadKeyOptions, addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { DiffOptions } from '../diff/diff.ts';

/** `lifeboat diff` */
export const defineDiff: Define = (parent, run) => {
  const command = parent
    .command('diff')
    .summary('compare two states')
    .description(
      'Says what differs between two states, each a recovery point or a live site, after what must differ between clusters (uids, resource versions, addresses …) is set aside. docs/restore.md lists what is set aside.',
    )
    .argument('<a>', 'a point (id, beginning of one, `latest`), `site:NAME`, or a kubeconfig (FILE or FILE#CONTEXT)')
    .argument('<b>', 'the same')
    .addOption(new Option('-n, --namespace <name>', 'only this namespace (* allowed); can be repeated').argParser(collect))
    .addOption(new Option('-t, --type <type>', 'only this type or Kind (* allowed); can be repeated').argParser(collect))
    .option('--site <name>', 'with `latest`: of this site');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['diff latest site:prod', 'what changed since the newest point'],
          ['diff latest new.kubeconfig', 'is the restored cluster what the point says?'],
          ['diff 20260314T021500Z 20260315T021500Z -n shop', 'one namespace, between two points'],
        ],
        [[0, 'no difference'], ...COMMON_EXITS, [3, 'no difference, but something could not be read'], [4, 'they differ']],
      ),
    )
    .action(run(async (context, a: string, b: string, options: DiffOptions) => (await import('../diff/diff.ts')).diff(context, a, b, options)));
};
