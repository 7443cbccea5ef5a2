import { readFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { EXIT } from '../core/error-codes.ts';
import { LifeboatError, isLifeboatError } from '../core/errors.ts';
import type { Run } from './command.ts';
import { Context } from './context.ts';
import type { GlobalOptions } from './context.ts';
import { Output } from './output.ts';
import type { OutputOptions, Terminal } from './output.ts';
import { buildProgram } from './program.ts';
import { asLifeboatError } from './render-error.ts';
import { abortOnSignals } from './signals.ts';

/**
 * Runs lifeboat with these arguments (without `node` and the script) in this process's terminal.
 * Resolves to the exit code; never rejects.
 */
export async function main(args: readonly string[]): Promise<number> {
  const terminal: Terminal = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env };
  terminal.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read the results has seen enough (`lifeboat show latest --objects | head`): there is nobody left to tell.
    // oxlint-disable-next-line node/no-process-exit, unicorn/no-process-exit -- as any program in a pipeline ends then
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  let exit: number = EXIT.ok;
  const run: Run = (body) => async (...typed) => {
    // Commander appends the command itself; before it stand its options, before them its arguments.
    const command = typed.at(-1) as Command;
    exit = await runCommand(terminal, command.optsWithGlobals(), (context) => body(context, ...(typed.slice(0, -1) as never)));
  };
  const program = buildProgram(run, await version());
  try {
    await captureUsage(program).parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const output = new Output(terminal, earlyOptions(args));
    if (error instanceof CommanderError && error.code === 'commander.help' && !output.options.json) {
      output.note(commandOf(program, args).command.helpInformation().trimEnd());
      return EXIT.usage;
    }
    const usage = error instanceof CommanderError ? usageError(error, program, args) : asLifeboatError(error);
    await output.error(usage);
    return usage.exitCode;
  }
  return exit;
}

async function runCommand(terminal: Terminal, globals: GlobalOptions, body: (context: Context) => Promise<number>): Promise<number> {
  const output = new Output(terminal, { ...switches(globals), color: globals.color, progress: globals.progress });
  tellSecrets(output, terminal.env);
  const { signal, dispose } = abortOnSignals(() => output.note('stopping … (once more to stop at once)'));
  try {
    return await body(new Context(globals, terminal, output, signal));
  } catch (error) {
    // Whatever breaks after Ctrl-C broke because of it. Some know more about what that means.
    const shown = asLifeboatError(signal.aborted && !isLifeboatError(error, 'LB_INTERRUPTED') ? signal.reason : error);
    await output.error(shown);
    return shown.exitCode;
  } finally {
    output.progress.finish();
    dispose();
  }
}

function switches(globals: GlobalOptions): Pick<OutputOptions, 'json' | 'quiet' | 'verbose'> {
  return { json: globals.json ?? false, quiet: globals.quiet ?? false, verbose: globals.verbose ?? false };
}

/** Credentials that lie in the environment: nothing that is printed may contain them. */
function tellSecrets(output: Output, env: NodeJS.ProcessEnv): void {
  for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
    const value = env[name];
    if (value !== undefined) output.redactor.add(value);
  }
}

/** Commander would print its errors itself; ours are printed in one way. */
function captureUsage(program: Command): Command {
  const quieten = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.commands.forEach(quieten);
  };
  quieten(program);
  return program;
}

/** The options that shape an error when the command line itself could not be understood. */
function earlyOptions(args: readonly string[]): OutputOptions {
  return {
    json: args.includes('--json'),
    quiet: false,
    verbose: args.includes('--verbose') || args.includes('-v'),
    color: !args.includes('--no-color'),
    progress: false,
  };
}

function usageError(error: CommanderError, program: Command, args: readonly string[]): LifeboatError {
  const help = `${commandOf(program, args).path.join(' ')} --help`;
  const incomplete = error.code === 'commander.help';
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new LifeboatError('LB_USAGE', incomplete ? 'No command was given' : sentence(message), {
    hint: `${suggestion === undefined ? '' : `${suggestion.replaceAll(/^\(|\)$/g, '')} `}\`${help}\` shows how it is called.`,
  });
}

/** The command that was meant, as far as its names can be found among the arguments. */
function commandOf(program: Command, args: readonly string[]): { readonly command: Command; readonly path: readonly string[] } {
  const path = ['lifeboat'];
  let command = program;
  for (const arg of args) {
    const next = command.commands.find((one) => one.name() === arg);
    if (next === undefined) continue;
    path.push(arg);
    command = next;
  }
  return { command, path };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const found = /"version":\s*"([^"]+)"/.exec(text);
  return found?.[1] ?? '0.0.0';
}
