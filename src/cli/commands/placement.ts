import { InvalidArgumentError, Option } from 'commander';
import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { Change, PlacementOptions } from '../placement/usage.ts';
import { parseSize } from '../size.ts';

/** `lifeboat placement` */
export const definePlacement: Define = (parent, run) => {
  parent
    .command('placement')
    .summary('show which losses a plan survives, and what it costs')
    .description(
      'Shows what is left after each failure domain that can be lost: copies of a safe point, keys, the control side; whether the plan keeps its promise (`outlives`), what to change if it does not, and what a month costs. Reads lifeboat.yaml, the key slots and the list of points in the vaults (not with --stored); writes nothing.',
    )
    .argument('[plan]', 'which plan of lifeboat.yaml; not needed when there is one')
    .addOption(new Option('--stored <size>', 'bytes in each vault, for the costs: 500GiB, 2TB; no vault is asked then, and none need exist (default: from the points)').argParser(size))
    .addOption(new Option('--change <share>', 'what a day adds: 2% of what is stored, or a size (default: from the points)').argParser(change))
    .addOption(new Option('--backups <number>', 'backups a day (default: from the points)').argParser(count))
    .addHelpText(
      'after',
      helpTail(
        [
          ['placement', 'the only plan'],
          ['placement prod --stored 500GiB --change 2%', 'with the costs of a plan that has no points yet'],
          ['placement prod --json', 'for scripts and monitoring'],
        ],
        [[0, 'the promise is kept, or nothing is promised'], ...COMMON_EXITS, [4, 'the plan, or the key slots in its vaults, do not keep its promise']],
      ),
    )
    .action(run(async (context, plan: string | undefined, options: PlacementOptions) => (await import('../placement/placement.ts')).placement(context, plan, options)));
};

function size(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('Write a size such as 500GiB or 2TB.');
  return bytes;
}

function change(text: string): Change {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim())?.[1];
  if (percent !== undefined) return { share: Number(percent) / 100 };
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('Write a share such as 2%, or a size such as 10GiB.');
  return { bytes };
}

function count(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 10_000)) throw new InvalidArgumentError('Write how many backups are made in a day, such as 24.');
  return number;
}
