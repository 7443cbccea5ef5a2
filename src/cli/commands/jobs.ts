import { InvalidArgumentError, Option } from 'commander';
import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { JobsOptions } from '../jobs/jobs.ts';

const STATES = ['waiting', 'active', 'unconfirmed', 'done', 'failed', 'canceled'] as const;
const KINDS = ['backup', 'replicate', 'verify', 'retain', 'drill', 'restore'] as const;

/** `lifeboat jobs` */
export const defineJobs: Define = (parent, run) => {
  parent
    .command('jobs')
    .argument('[id]', 'one job: how it stands, or what is done with it')
    .summary('list the jobs of the queue, cancel them, try parked ones again')
    .description(
      'Lists the jobs of the queue of lifeboat.yaml, newest first. A job that failed for good is parked with the reason, until it is tried again or dropped. An embedded queue belongs to its worker while that runs.',
    )
    .addOption(new Option('--state <state>', 'only jobs of this state').choices([...STATES]))
    .addOption(new Option('--kind <kind>', 'only jobs of this kind').choices([...KINDS]))
    .addOption(new Option('--limit <number>', 'at most so many').default(50).argParser(count))
    .option('--cancel', 'stop the job, wherever it is')
    .option('--retry', 'try a parked job again')
    .option('--drop', 'forget a parked job')
    .addHelpText(
      'after',
      helpTail(
        [
          ['jobs', 'what is waiting, under way, done and parked'],
          ['jobs --state failed', 'what was given up, and why'],
          ['jobs backup.prod.20261126T140000Z --retry', 'once more'],
        ],
        [[0, 'done'], ...COMMON_EXITS, [4, 'the job failed']],
      ),
    )
    .action(run(async (context, id: string | undefined, options: JobsOptions) => (await import('../jobs/jobs.ts')).jobs(context, id, options)));
};

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1000) throw new InvalidArgumentError('Write a whole number from 1 to 1000.');
  return number;
}
