import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/cli/command.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { ERROR_CODES } from '../../src/core/error-codes.ts';
import { expectKept, withPart } from '../support/kept-file.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';
import { commandReference } from './reference.ts';

const noRun: Run = () => () => Promise.resolve();

/** The program and all its commands, as `lifeboat`, `lifeboat keys`, `lifeboat keys add` … */
function allCommands(command: Command, path = 'lifeboat'): { readonly path: string; readonly command: Command }[] {
  return [{ path, command }, ...command.commands.flatMap((inner) => allCommands(inner, `${path} ${inner.name()}`))];
}

describe('help', () => {
  it('of the program names every command', async () => {
    const { code, stdout, stderr } = await lifeboat(['--help'], { cwd: await emptyFolder() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of ['init', 'doctor', 'backup', 'points', 'status', 'show', 'diff', 'restore', 'drill', 'verify', 'replicate', 'retain', 'sweep', 'placement', 'keys']) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    for (const name of ['init', 'doctor', 'backup', 'points', 'show', 'diff', 'restore', 'verify', 'replicate', 'retain', 'sweep', 'placement', 'keys', 'audit']) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    expect(stdout).toContain('Exit codes:');
  });

  it('of every command has a description, examples and exit codes, and fits a terminal', async () => {
    const cwd = await emptyFolder();
    const commands = allCommands(buildProgram(noRun, '1.2.3')).filter(({ command }) => command.commands.length === 0);
    expect(commands.length).toBeGreaterThan(10);
    for (const { path, command } of commands) {
      const { code, stdout } = await lifeboat([...path.split(' ').slice(1), '--help'], { cwd });
      const [options = ''] = stdout.split('Examples:');
      expect({
        path,
        code,
        summary: command.summary() !== '',
        examples: stdout.includes('Examples:'),
        exits: stdout.includes('Exit codes:'),
        tooWide: options.split('\n').filter((line) => line.length > 80),
      }).toEqual({ path, code: 0, summary: true, examples: true, exits: true, tooWide: [] });
    }
  });

  it('and docs/cli.md say the same', async () => {
    await expectKept('docs/cli.md', (page) => withPart(page, 'reference', commandReference(buildProgram(noRun, '1.2.3'))));
  });

  it('loads nothing heavy', async () => {
    const { stderr, stdout } = await lifeboat(['--help'], { cwd: await emptyFolder(), env: { NODE_DEBUG: 'esm' } });
    expect(stdout).toContain('Usage: lifeboat');
    for (const heavy of ['zod', 'yaml', '@kubernetes', '@aws-sdk', 'age-encryption', 'undici']) {
      expect(stderr).not.toContain(`node_modules/${heavy}/`);
    }
  });
});

describe('a command line without a command', () => {
  for (const [args, usage] of [
    [[], 'Usage: lifeboat [options] [command]'],
    [['keys'], 'Usage: lifeboat keys [options] [command]'],
  ] as const) {
    it(`shows the help on stderr: lifeboat ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await lifeboat(args, { cwd: await emptyFolder() });
      expect({ code, stdout }).toEqual({ code: ERROR_CODES.LB_USAGE.exit, stdout: '' });
      expect(stderr).toContain(usage);
      expect(stderr).not.toContain('error:');
    });
  }

  it('is an error in a document with --json', async () => {
    const { code, stdout } = await lifeboat(['keys', '--json'], { cwd: await emptyFolder() });
    expect(code).toBe(ERROR_CODES.LB_USAGE.exit);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'LB_USAGE', message: 'No command was given' } });
  });
});

describe('a command line that cannot be understood', () => {
  const cases: readonly (readonly [args: string, message: string, hint: string])[] = [
    ['restroe', "Unknown command 'restroe'", 'Did you mean restore?'],
    ['points --jsn', "Unknown option '--jsn'", 'Did you mean --json?'],
    ['show', "Missing required argument 'point'", '`lifeboat show --help`'],
    ['restore --existing overwrite', "argument 'overwrite' is invalid", 'skip, update, fail'],
    ['restore --wait 5', 'Write a duration such as 90s', '`lifeboat restore --help`'],
    ['points one two', 'Too many arguments', '`lifeboat points --help`'],
  ];
  for (const [args, message, hint] of cases) {
    it(`is one error with a way out: lifeboat ${args}`, async () => {
      const { code, stdout, stderr } = await lifeboat(args.split(' ').filter((arg) => arg !== ''), { cwd: await emptyFolder() });
      expect(code).toBe(ERROR_CODES.LB_USAGE.exit);
      expect(stdout).toBe('');
      expect(stderr).toContain(message);
      expect(stderr).toContain(hint);
      expect(stderr).toMatch(/^error: .*\n {2}fix: .*\n {2}code: LB_USAGE \(docs\/errors\.md\)\n$/s);
    });
  }

  it('is a document with --json', async () => {
    const { code, stdout, stderr } = await lifeboat(['show', '--json'], { cwd: await emptyFolder() });
    expect(code).toBe(2);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: { code: 'LB_USAGE', message: "Missing required argument 'point'", hint: '`lifeboat show --help` shows how it is called.' },
    });
  });
});
