import { addVaultOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { PointsOptions } from '../points/points.ts';

/** `lifeboat points` */
export const definePoints: Define = (parent, run) => {
  addVaultOptions(
    parent
      .command('points')
      .summary('list recovery points')
      .description('Lists the recovery points in the vaults, oldest first. Needs no key: signatures are checked, contents are not.')
      .option('--site <name>', 'only points of this site'),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          ['points', 'every point in the vaults of lifeboat.yaml'],
          ['points --vault s3://backups/lifeboat --json', 'what a bucket holds, for scripts; needs no lifeboat.yaml'],
        ],
        [[0, 'all well'], ...COMMON_EXITS, [4, 'a point is damaged, forged or missing from a vault that should hold it']],
      ),
    )
    .action(run(async (context, options: PointsOptions) => (await import('../points/points.ts')).points(context, options)));
};
