import { addReadKeyOptions, addVaultOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { VerifyOptions } from '../verify/verify.ts';

/** `lifeboat verify` */
export const defineVerify: Define = (parent, run) => {
  const command = parent
    .command('verify')
    .summary('check what is in the vaults')
    .description(
      'Checks every vault by itself: names, sizes, signatures, the chain of points, and that everything a point needs is there. With --data every byte is read and checked; and opened as well, if a key that opens the repository is configured or given.',
    )
    .option('--data', 'read and check every byte');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['verify', 'structure, in seconds; needs no key'],
          ['verify --data --vault offsite', 'every byte of one vault'],
        ],
        [[0, 'nothing found'], ...COMMON_EXITS, [4, 'something is missing, damaged or forged: each is named']],
      ),
    )
    .action(run(async (context, options: VerifyOptions) => (await import('../verify/verify.ts')).verify(context, options)));
};
