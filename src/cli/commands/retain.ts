import { addReadKeyOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { RetainCommandOptions } from '../retain/retain.ts';

/** `lifeboat retain` */
export const defineRetain: Define = (parent, run) => {
  const command = parent
    .command('retain')
    .summary('remove recovery points that are no longer wanted')
    .description(
      'Removes the recovery points that the plans’ `retention` does not keep, and shows of each point why it stays or goes. A removed point is no longer listed or restored; `lifeboat sweep` frees its room later. The newest complete point always stays, and so does what a lock holds. Needs the maintain key.',
    )
    .argument('[plan]', 'points of the site of this plan only; of all plans by default')
    .option('--dry-run', 'only show what would be done');
  addReadKeyOptions(command.optionsGroup('Keys:'))
    .addHelpText(
      'after',
      helpTail(
        [
          ['retain --dry-run', 'what would go, and why the rest stays'],
          ['retain --key-file lifeboat-maintain.key', 'with an exported maintain key, as from cron'],
        ],
        [[0, 'done'], ...COMMON_EXITS, [3, 'a point could not be read or removed, or a vault could not be reached']],
      ),
    )
    .action(run(async (context, plan: string | undefined, options: RetainCommandOptions) => (await import('../retain/retain.ts')).retainPoints(context, plan, options)));
};
