import { Option } from 'commander';
import type { Command } from 'commander';
import type { Context } from './context.ts';

/** What a command does: gets what the user typed, resolves to the exit code. */
export type Body<A extends readonly unknown[]> = (context: Context, ...typed: A) => Promise<number>;

/**
 * Wraps a command's body for commander: `typed` are the command's arguments in order and then its options, as
 * commander gives them.
 */
export type Run = <A extends readonly unknown[]>(body: Body<A>) => (...typed: unknown[]) => Promise<void>;

/** Adds one command to the program. */
export type Define = (parent: Command, run: Run) => void;

/** Text below a command's options: examples, then exit codes. */
export function helpTail(
  examples: readonly (readonly [command: string, meaning: string])[],
  exits: readonly (readonly [code: number, meaning: string])[],
): string {
  const lines = examples.map(([command, meaning]) => `  # ${meaning}\n  $ lifeboat ${command}`);
  const codes = exits.toSorted(([a], [b]) => a - b).map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`);
  return `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${codes.join('\n')}\n`;
}

/** Exit codes that any command may end with. */
export const COMMON_EXITS = [
  [1, 'something failed'],
  [2, 'wrong usage or configuration'],
  [130, 'interrupted'],
] as const;

/** Gathers an option given several times into a list. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Adds the options that say which vaults to use: `VaultOptions`. */
export function addVaultOptions(command: Command): Command {
  return command.optionsGroup('Vaults and keys:').addOption(
    new Option(
      '--vault <name|address>',
      'use this vault only, by its name in lifeboat.yaml or its address (dir:PATH, s3://BUCKET/PREFIX?endpoint=URL, gs://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX); can be repeated',
    ).argParser(collect),
  );
}

/** Adds the options that say what opens the repository: `ReadKeyOptions`. */
export function addReadKeyOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--identity <file>', 'age identity that opens the repository; can be repeated. Instead of `keys.read`').argParser(collect),
    )
    .option('--passphrase-file <file>', 'file whose first line is a passphrase that opens the repository. Instead of `keys.read`')
    .addOption(
      new Option('--kms <key>', 'key of a key service that may be called to open the repository, as `keys list` shows it; can be repeated. Instead of `keys.read`').argParser(collect),
    )
    .option('--key-file <file>', 'file of an exported key (`lifeboat keys export`) of the role that is needed. Instead of `keys.read` and `keys.maintain`');
}
