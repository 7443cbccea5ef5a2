import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import { addReadKeyOptions, addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { RestoreOptions } from '../restore/options.ts';

/** `lifeboat restore` */
export const defineRestore: Define = (parent, run) => {
  const repeated = (flags: string, description: string): Option => new Option(flags, description).argParser(collect);
  const command = parent
    .command('restore')
    .summary('bring a recovery point back in a cluster')
    .description(
      'Restores a recovery point into a cluster: plans, shows what it would do, asks, does it, and compares. A restore that was stopped is simply started again. Refuses the cluster that the point was taken from, and one of which that cannot be told, unless told so.',
    )
    .argument('[point]', 'id of a point, the beginning of one, or `latest`', 'latest')
    .option('--plan', 'show what would be done, object by object, and write nothing')
    .option('--dry-run', 'the same as --plan')
    .option('--site <name>', 'with `latest`: of this site')
    .option('--to <site>', 'restore into this site of lifeboat.yaml')
    .option('--kubeconfig <file>', 'restore into the cluster of this kubeconfig')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .addOption(
      new Option('--existing <what>', 'objects that are there and differ: leave them, make them as in the point, or write nothing at all')
        .choices(['skip', 'update', 'fail'])
        .default('skip'),
    )
    .addOption(repeated('-n, --namespace <name>', 'only this namespace (* allowed); can be repeated'))
    .addOption(repeated('--exclude-namespace <name>', 'not this namespace (* allowed); can be repeated'))
    .addOption(repeated('-t, --type <type>', 'only this type or Kind (* allowed); can be repeated'))
    .addOption(repeated('--exclude-type <type>', 'not this type or Kind (* allowed); can be repeated'))
    .option('-l, --label <selector>', 'only objects that match this label selector')
    .addOption(repeated('--object <object>', 'only this object (Kind/namespace/name or Kind/name); can be repeated'))
    .addOption(repeated('--map-namespace <a=b>', 'restore namespace A as B; can be repeated'))
    .addOption(
      new Option('--wait <duration>', 'how long to wait for workloads to become ready: 90s, 5m; exit 3 if some are not (default: not at all)').argParser(duration),
    )
    .option('-y, --yes', 'do not ask')
    .option('--into-source', 'allow the very cluster the point was taken from, or one of which that cannot be told');
  command
    .optionsGroup('On a server (docs/api.md):')
    .option('--server <url>', 'have a lifeboat server do it, with its vaults, keys and sites; the token is in LIFEBOAT_TOKEN')
    .option('--of-plan <name>', 'the plan whose points are meant; not needed when the server has one')
    .option('--follow [id]', 'stay until it has ended; with an id: the restore that was asked for before')
    .option('--confirm <digest>', 'with --follow ID: confirm the plan of that restore')
    .option('--idempotency-key <text>', 'asked for again under the same name, it is not done twice')
    .option('--token-file <file>', 'file that holds the token, instead of LIFEBOAT_TOKEN')
    .option('--client-certificate <file>', 'client certificate, instead of a token')
    .option('--client-key <file>', 'private key of the client certificate')
    .option('--server-ca <file>', 'certificates of the authorities that may have issued that of the server');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['restore --plan --kubeconfig new.yaml', 'what would be done'],
          ['restore --kubeconfig new.yaml', 'the newest point, into a fresh cluster'],
          ['restore 20260314T0215 --to standby -n shop --map-namespace shop=shop-test', 'one namespace under another name'],
          ['restore --to prod --into-source --object ConfigMap/shop/prices --existing update', 'one object, in the cluster itself'],
          ['restore --vault s3://backups/lifeboat --identity my.key --kubeconfig new.yaml --yes', 'without lifeboat.yaml, without questions'],
          ['restore latest --server https://lifeboat.example.net --to spare --follow', 'by a server, watched until it has ended'],
        ],
        [
          [0, 'every object is there and as in the point, but for those kept by --existing skip'],
          ...COMMON_EXITS,
          [3, 'done, but some objects could not be restored, or workloads were not ready when --wait was over: each is named'],
          [4, 'the point is damaged or forged'],
        ],
      ),
    )
    .action(run(async (context, point: string, options: RestoreOptions) => (await import('../restore/restore.ts')).restore(context, point, options)));
};

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) throw new InvalidArgumentError('Write a duration such as 90s, 5m, 1h30m or 0.');
  return milliseconds;
}
