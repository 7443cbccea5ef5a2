import { Option } from 'commander';
import { EXIT } from '../../core/error-codes.ts';
import { addReadKeyOptions, addVaultOptions, collect, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { Context } from '../context.ts';
import type { ShowOptions } from '../show/show.ts';

/** `lifeboat show` */
export const defineShow: Define = (parent, run) => {
  const command = parent
    .command('show')
    .summary('show what a recovery point holds')
    .description(
      'Shows what a recovery point holds: types and counts, what could not be read, where it is kept. With --objects every object by name; with OBJECT that object itself. Needs a key that opens the repository.',
    )
    .argument('<point>', 'id of a point, the beginning of one, or `latest`')
    .argument('[object]', 'one object: Kind/namespace/name, or Kind/name for what has no namespace; a type (`deployments.apps`) does as well')
    .option('--site <name>', 'with `latest`: of this site')
    .option('--objects', 'list the objects')
    .addOption(new Option('-n, --namespace <name>', 'with --objects: only of this namespace (* allowed); can be repeated').argParser(collect))
    .addOption(new Option('-t, --type <type>', 'with --objects: only of this type or Kind (* allowed); can be repeated').argParser(collect))
    .addOption(new Option('-o, --output <format>', 'how an object is written').choices(['yaml', 'json']).default('yaml'))
    .option('--reveal', 'show the data of a Secret; hidden otherwise')
    .option('--managed-fields', 'show metadata.managedFields of an object; left out otherwise');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['show latest', 'types and counts of the newest point'],
          ['show latest --objects -n shop', 'every object of one namespace'],
          ['show latest Deployment/shop/web', 'one object, ready for `kubectl apply --server-side -f -`'],
          ['show latest Secret/shop/db --reveal -o json', 'a Secret with its data'],
        ],
        [[0, 'shown'], ...COMMON_EXITS, [4, 'the point is damaged or forged']],
      ),
    )
    .action(run(show));
};

async function show(context: Context, point: string, object: string | undefined, options: ShowOptions): Promise<number> {
  const { showObject, showObjects, showSummary } = await import('../show/show.ts');
  if (object !== undefined) await showObject(context, point, object, options);
  else if (options.objects === true) await showObjects(context, point, options);
  else await showSummary(context, point, options);
  return EXIT.ok;
}
