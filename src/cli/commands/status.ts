import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';

/** `lifeboat status` */
export const defineStatus: Define = (parent, run) => {
  parent
    .command('status')
    .summary('show how the plans stand against what they promise')
    .description(
      'Shows of each plan how old its newest safe point is and how old it may be, whether its schedules were kept, what its last drill took, and when the vaults were verified: the same that metrics and messages tell (docs/monitoring.md). Reads the vaults only, and needs no key.',
    )
    .argument('[plan]', 'this plan only')
    .addHelpText(
      'after',
      helpTail(
        [
          ['status', 'every plan'],
          ['status --json || mail-the-team', 'from cron, where nothing else watches'],
        ],
        [[0, 'every plan is on time'], ...COMMON_EXITS, [3, 'an objective or a schedule was missed, or too few vaults could be looked at']],
      ),
    )
    .action(run(async (context, plan: string | undefined) => (await import('../status/status.ts')).status(context, plan)));
};
