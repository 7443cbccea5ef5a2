import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Define } from '../command.ts';
import type { WorkerCommandOptions } from '../worker/worker.ts';

/** `lifeboat worker` */
export const defineWorker: Define = (parent, run) => {
  addPaceOptions(
    parent
      .command('worker')
      .summary('do the jobs of the queue, and start those that are due')
      .description(
        'Takes jobs from the queue of lifeboat.yaml and does them until it is stopped, and starts backups, verifications, drills and clean-ups when their schedules say so. Any number may run. Stopped by SIGTERM or Ctrl-C it ends what it is at, or hands it back to be gone on with by another. Run it where it is not lost together with the sites it protects.',
      ),
    1,
  )
    .option('--once', 'do what is there, and end when there is no more')
    .addHelpText(
      'after',
      helpTail(
        [
          ['worker', 'do everything by itself, on one machine'],
          ['worker --no-schedule --concurrency 16', 'one of several workers'],
          ['worker --once', 'from a CronJob: what is due, then end'],
        ],
        [[0, 'stopped, or nothing left to do'], ...COMMON_EXITS.filter(([code]) => code !== 130)],
      ),
    )
    .action(run(async (context, options: WorkerCommandOptions) => (await import('../worker/worker.ts')).worker(context, options, parent.version() ?? '')));
};

const DEFAULT_STEP = 3_600_000;

/** Adds the options that say how much is done at once: at least `least` jobs. */
export function addPaceOptions(command: Command, least: number): Command {
  return command
    .addOption(new Option('--concurrency <number>', 'jobs at once').default(8).argParser((text) => count(text, least)))
    .addOption(new Option('--step <duration>', 'how long one step of a job may take; longer jobs are done in several').default(DEFAULT_STEP, '1h').argParser(duration))
    .option('--no-schedule', 'start nothing by itself');
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000) throw new InvalidArgumentError('Write a duration of a second at least, such as 50s or 15m.');
  return ms;
}

function count(text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > 1000) throw new InvalidArgumentError(`Write a whole number from ${least} to 1000.`);
  return number;
}
