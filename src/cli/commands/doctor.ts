import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';

/** `lifeboat doctor` */
export const defineDoctor: Define = (parent, run) => {
  parent
    .command('doctor')
    .summary('try everything a backup needs')
    .description(
      'Tries everything a plan needs: the site and the rights there, the vaults and what they really do (create-only puts, reading back, listing), clocks, keys and who may read their files; says what to fix. Leaves nothing behind but a small probe object where a vault does not let it be deleted.',
    )
    .argument('[plan]', 'which plan of lifeboat.yaml; all by default')
    .addHelpText(
      'after',
      helpTail(
        [
          ['doctor', 'every plan'],
          ['doctor prod --json', 'one plan, for monitoring'],
        ],
        [[0, 'all well; there may be warnings'], ...COMMON_EXITS, [4, 'something would make a backup or a restore fail']],
      ),
    )
    .action(run(async (context, plan: string | undefined) => (await import('../doctor/doctor.ts')).doctor(context, plan)));
};
