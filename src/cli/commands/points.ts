import { addVaultOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { PointsOptions } from '../points/points.ts';

/** `lifeboat points` */
export const definePoints: Define = (parent, run) => {
  addVaultOptions(
    parent
      .command('points')
      .summary('list recovery points')
      .description('Lists the recovery points in the vaults, oldest first, and how each is in each vault: whole, without some of its packs, or damaged. Needs no key: signatures are checked, and packs counted, not read.')
      .option('--site <name>', 'only points of this site')
      .option('--removed', 'instead, the points that were removed: when, why, and which vaults hold them still'),
  )
    .addHelpText(
      'after',
      helpTail(
        [
          ['points', 'every point in the vaults of lifeboat.yaml'],
          ['points --removed', 'what `lifeboat retain` took away'],
          ['points --vault s3://backups/lifeboat --json', 'what a bucket holds, for scripts; needs no lifeboat.yaml'],
        ],
        [[0, 'all well'], ...COMMON_EXITS, [4, 'a vault has a point that is damaged, forged, or not whole there']],
      ),
    )
    .action(run(async (context, options: PointsOptions) => (await import('../points/points.ts')).points(context, options)));
};
