import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import { addReadKeyOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { SweepCommandOptions } from '../sweep/sweep.ts';

/** `lifeboat sweep` */
export const defineSweep: Define = (parent, run) => {
  const command = parent
    .command('sweep')
    .summary('free what no recovery point needs')
    .description(
      'Marks, in every vault of lifeboat.yaml, what no recovery point needs, and deletes what an earlier sweep marked and is still not needed, never what a lock holds. Run it regularly: backups may run meanwhile, and it may be killed. Needs the maintain key, and credentials that may delete.',
    )
    .option('--dry-run', 'only show what would be done')
    .addOption(
      new Option('--grace <duration>', 'how long what was marked stays; at least twice as long as the longest backup, `0` only when none runs')
        .default('48h')
        .argParser(duration),
    )
    .option('--despite-lost', 'sweep although points are gone that nobody removed, and what they needed with them');
  addReadKeyOptions(command.optionsGroup('Keys:'))
    .addHelpText(
      'after',
      helpTail(
        [
          ['sweep', 'mark, and delete what was marked two days ago'],
          ['sweep --dry-run', 'what there is to free'],
        ],
        [[0, 'done'], ...COMMON_EXITS, [3, 'something could not be deleted']],
      ),
    )
    .action(run(async (context, options: SweepCommandOptions) => (await import('../sweep/sweep.ts')).sweepVaults(context, options)));
};

function duration(text: string): string {
  if (parseDuration(text) === undefined) throw new InvalidArgumentError('Write a duration such as 48h or 3d.');
  return text;
}
