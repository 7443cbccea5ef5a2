import { Option } from 'commander';
import { addReadKeyOptions, addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define, ReadKeyOptions, VaultOptions } from '../command.ts';

export interface DiffOptions extends VaultOptions, ReadKeyOptions {
  readonly namespace?: readonly string[];
  readonly type?: readonly string[];
  readonly mapNamespace?: readonly string[];
  readonly reveal?: boolean;
}

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
    .addOption(new Option('--map-namespace <a=b>', 'namespace A of the first is called B in the second; can be repeated').argParser(collect))
    .option('--reveal', 'show values of Secrets that differ; hidden otherwise');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['diff latest site:prod', 'what changed since the newest point'],
          ['diff latest new.kubeconfig', 'is the restored cluster what the point says?'],
          ['diff 20260314T021500Z 20260315T021500Z -n shop', 'one namespace, between two points'],
        ],
        [[0, 'no difference'], ...COMMON_EXITS, [4, 'they differ']],
      ),
    )
    .action(run(async (context, a: string, b: string, options: DiffOptions) => (await import('../diff/diff.ts')).diff(context, a, b, options)));
};
