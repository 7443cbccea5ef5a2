import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import { addReadKeyOptions, addVaultOptions, COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import { parseSize } from '../size.ts';
import type { VerifyOptions } from '../verify/verify.ts';

/** `lifeboat verify` */
export const defineVerify: Define = (parent, run) => {
  const command = parent
    .command('verify')
    .summary('check what is in the vaults, and heal it')
    .description(
      'Checks every vault by itself: names, sizes, signatures, the chain of points, and that everything a point needs is there. With --data every byte is read and checked; and opened as well, if a key that opens the repository is configured or given. Within a budget it reads what was not read for longest, so that several runs read everything; what was read is remembered in the vaults, in reports that the read key signs. With --heal what is lost or damaged in one vault is brought back from another.',
    )
    .option('--data', 'read and check every byte')
    .addOption(new Option('--budget <size>', 'read at most this much: 10GiB, 500MB').argParser(size))
    .addOption(new Option('--for <duration>', 'begin nothing more after this long: 15m, 2h').argParser(duration))
    .addOption(new Option('--sample <share>', 'read at most this share of all bytes: 5%').argParser(share))
    .option('--heal', 'bring back from another vault what is lost or damaged in one. Replacing something damaged takes credentials that may delete')
    .option('--dry-run', 'with --heal: say what would be done, and change nothing');
  addReadKeyOptions(addVaultOptions(command))
    .addHelpText(
      'after',
      helpTail(
        [
          ['verify', 'structure, in seconds; needs no key'],
          ['verify --data --vault offsite', 'every byte of one vault'],
          ['verify --for 15m', 'every night: in a few of them everything was read'],
          ['verify --data --heal --dry-run', 'what is damaged, and what can be healed'],
        ],
        [[0, 'nothing found, or all of it healed'], ...COMMON_EXITS, [4, 'something is, or remains, missing, damaged or forged: each is named']],
      ),
    )
    .action(run(async (context, options: VerifyOptions) => (await import('../verify/verify.ts')).verify(context, options)));
};

function size(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes === 0) throw new InvalidArgumentError('It is a size such as 10GiB or 500MB.');
  return bytes;
}

function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds === 0) throw new InvalidArgumentError('It is a duration such as 15m or 2h.');
  return milliseconds;
}

function share(text: string): number {
  const percent = Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1]);
  if (!(percent > 0 && percent <= 100)) throw new InvalidArgumentError('It is a share such as 5%.');
  return percent / 100;
}
