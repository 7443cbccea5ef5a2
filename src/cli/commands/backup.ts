import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';

/** `lifeboat backup` */
export const defineBackup: Define = (parent, run) => {
  parent
    .command('backup')
    .summary('take a recovery point')
    .description(
      'Reads the site of a plan as it is at one moment, and stores it in the vaults of the plan. Reads only; needs the write key, which cannot read backups. Nothing of it is visible until it is complete; it can be stopped and started again at any time.',
    )
    .argument('[plan]', 'which plan of lifeboat.yaml; not needed when there is one')
    .addHelpText(
      'after',
      helpTail(
        [
          ['backup', 'the only plan'],
          ['backup prod --json', 'a plan by name, with the result for a script'],
        ],
        [[0, 'complete and safe: enough vaults hold it'], ...COMMON_EXITS, [3, 'there is a point, but a type could not be read or too few vaults hold it']],
      ),
    )
    .action(run(async (context, plan: string | undefined) => (await import('../backup/backup.ts')).backup(context, plan)));
};
