import type { Command } from 'commander';
import { COMMON_EXITS, helpTail } from '../command.ts';
import type { Run } from '../command.ts';
import type { OpenJobs, ServeOptions } from '../serve/serve.ts';
import { addPaceOptions } from './worker.ts';

/** `lifeboat serve`. `openJobs` opens what is behind the API; it is called when the command runs. */
export function defineServe(parent: Command, run: Run, openJobs: OpenJobs): void {
  addPaceOptions(
    parent
      .command('serve')
      .summary('serve the HTTP API, and work as a worker does')
      .description(
        'Serves the HTTP API of `server` in lifeboat.yaml, starts what the schedules of the plans say, and does the jobs, until it is stopped: all of lifeboat in one container. With `--concurrency 0` the jobs are left to workers elsewhere, and so are the schedules. Certificates that were renewed are read again by themselves.',
      ),
    0,
  )
    .addHelpText(
      'after',
      helpTail(
        [
          ['serve', 'on the address of `server.listen`, 127.0.0.1:8420 by default'],
          ['serve --concurrency 0', 'the API alone; workers run elsewhere'],
        ],
        [[0, 'stopped when it was told to'], ...COMMON_EXITS],
      ),
    )
    .action(run(async (context, options: ServeOptions) => (await import('../serve/serve.ts')).serve(context, parent.version() ?? '', options, openJobs)));
}
