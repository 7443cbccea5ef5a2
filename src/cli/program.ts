import { Command, Help, Option } from 'commander';
import type { Run } from './command.ts';
import { helpTail } from './command.ts';
import { defineAudit } from './commands/audit.ts';
import { defineBackup } from './commands/backup.ts';
import { defineDiff } from './commands/diff.ts';
import { defineDoctor } from './commands/doctor.ts';
import { defineDrill } from './commands/drill.ts';
import { defineInit } from './commands/init.ts';
import { defineJobs } from './commands/jobs.ts';
import { defineKeys } from './commands/keys.ts';
import { definePlacement } from './commands/placement.ts';
import { definePoints } from './commands/points.ts';
import { defineReplicate } from './commands/replicate.ts';
import { defineRestore } from './commands/restore.ts';
import { defineRetain } from './commands/retain.ts';
import { defineServe } from './commands/serve.ts';
import { defineShow } from './commands/show.ts';
import { defineStatus } from './commands/status.ts';
import { defineSweep } from './commands/sweep.ts';
import { defineVerify } from './commands/verify.ts';
import { defineWorker } from './commands/worker.ts';

const EXITS = [
  [0, 'all well'],
  [1, 'something failed'],
  [2, 'wrong usage or configuration'],
  [3, 'done, but not everything (a partial result)'],
  [4, 'a check found a difference or damage'],
  [130, 'interrupted'],
] as const;

/** The whole command line. Nothing but definitions is loaded here: what a command needs it loads when it runs. */
export function buildProgram(run: Run, version: string): Command {
  const program = new Command('lifeboat')
    .description('Gets Kubernetes clusters out of harm’s way and brings them back somewhere else.')
    .version(version, '-V, --version', 'show the version')
    .option('-c, --config <file>', 'configuration file (default: ./lifeboat.yaml, or LIFEBOAT_CONFIG)')
    .option('--json', 'print one JSON document on stdout, for scripts')
    .option('-q, --quiet', 'print results, warnings and errors only')
    .option('-v, --verbose', 'with errors, show what is underneath them; every warning by itself')
    .addOption(new Option('--no-color', 'no colours (also: NO_COLOR; FORCE_COLOR for colours without a terminal)'))
    .option('--no-progress', 'do not show progress')
    .helpOption('-h, --help', 'show help')
    .configureHelp({ showGlobalOptions: false, formatHelp })
    .showSuggestionAfterError()
    .exitOverride();

  program.commandsGroup('Set up:');
  defineInit(program, run);
  defineDoctor(program, run);
  definePlacement(program, run);
  defineKeys(program, run);
  program.commandsGroup('Protect:');
  defineBackup(program, run);
  definePoints(program, run);
  defineStatus(program, run);
  defineShow(program, run);
  defineVerify(program, run);
  defineReplicate(program, run);
  program.commandsGroup('By itself:');
  defineWorker(program, run);
  defineJobs(program, run);
  defineServe(program, run, async (context, options) => (await import('./serve/behind.ts')).openBehind(context, options, version));
  program.commandsGroup('Clean up:');
  defineRetain(program, run);
  defineSweep(program, run);
  program.commandsGroup('Bring back:');
  defineRestore(program, run);
  defineDrill(program, run);
  defineDiff(program, run);
  program.commandsGroup('Run as a service:');
  defineAudit(program, run);
  program.commandsGroup('Help:').helpCommand('help [command]', 'show help for a command');

  program.addHelpText(
    'after',
    helpTail(
      [
        ['init --kubeconfig ~/.kube/config --vault dir:/backups', 'set up: configuration, keys, a first vault'],
        ['backup', 'take a recovery point'],
        ['restore --plan', 'show what a restore would do'],
        ['restore --vault dir:/backups --identity my.key --kubeconfig new.yaml', 'bring a site back on a machine that has nothing but a key'],
      ],
      EXITS,
    ),
  );
  return program;
}

/** Commander's help, with a word on the options that every command takes in place of their list. */
function formatHelp(command: Command, helper: Help): string {
  const text = Help.prototype.formatHelp.call(helper, command, helper);
  if (command.parent === null) return text;
  return `${text}\nOptions of every command (--config, --json, --quiet, …): lifeboat --help\n`;
}
