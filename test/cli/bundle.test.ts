import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { LAUNCHER } from '../support/launcher.ts';

/** Imports the modules it is given, one by one, and prints what those say that cannot be loaded. */
const LOAD_ALL = `for (const path of process.argv.slice(1)) await import(path).catch((error) => console.log(path, String(error)))`;

it('the command line, bundled: every module in it can be loaded, also those that a command loads when it needs them', async () => {
  const folder = join(dirname(LAUNCHER), '../chunks');
  const chunks = (await readdir(folder)).filter((name) => name.endsWith('.js'));
  expect(chunks.length).toBeGreaterThan(20);
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', LOAD_ALL, '--', ...chunks.map((name) => join(folder, name))], { maxBuffer: 16 * 1024 * 1024 });
  expect(stdout).toBe('');
});
