import { execFile, spawn } from 'node:child_process';
import { access, copyFile, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compileCache } from '../support/compile-cache.ts';
import { LAUNCHER } from '../support/launcher.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';

/** What the launcher is made of. */
const SOURCE = fileURLToPath(new URL('../../src/cli/lifeboat.mjs', import.meta.url));

const PASSPHRASE = 'a long passphrase for this test';

/** The first program of this name in `PATH` that `fits`. */
async function findProgram(name: string, fits: (path: string) => Promise<boolean> = () => Promise.resolve(true)): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there && (await fits(path).catch(() => false))) return path;
  }
  return undefined;
}

const script = await findProgram('script', async (path) => (await promisify(execFile)(path, ['--version'])).stdout.includes('util-linux'));

/** Runs the command line on a terminal of its own; `answers` are typed when their question has appeared. */
function onTerminal(cwd: string, args: readonly string[], answers: readonly (readonly [question: string, typed: string])[]): Promise<{ code: number; shown: string }> {
  const command = [process.execPath, LAUNCHER, ...args].map((part) => `'${part}'`).join(' ');
  const child = spawn(script ?? 'script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: cwd, TERM: 'xterm', ...compileCache },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let asked = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const next = answers[asked];
    if (next === undefined || !shown.includes(next[0])) return;
    asked += 1;
    child.stdin.write(next[1]);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, shown: stripVTControlCharacters(shown) }));
  });
}

/** A folder whose repository opens by a passphrase that lifeboat.yaml does not name. */
async function passphraseHome(): Promise<string> {
  const cwd = await emptyFolder();
  await writeFile(join(cwd, 'passphrase.txt'), `${PASSPHRASE}\n`, { mode: 0o600 });
  const { code } = await lifeboat(['init', '--vault', 'dir:vault', '--passphrase-file', 'passphrase.txt'], { cwd });
  expect(code).toBe(0);
  const text = await readFile(join(cwd, 'lifeboat.yaml'), 'utf8');
  await writeFile(join(cwd, 'lifeboat.yaml'), text.replace(/^ {2}read:\n {4}passphraseFile: .*\n/m, ''));
  return cwd;
}

describe('on a terminal', () => {
  it('a passphrase is asked for and not shown', async (ctx) => {
    ctx.skip(script === undefined, 'needs `script` of util-linux for a terminal');
    const cwd = await passphraseHome();
    const { code, shown } = await onTerminal(cwd, ['keys', 'export', '--role', 'write', '-o', 'again.key'], [['Passphrase', `${PASSPHRASE}\n`]]);
    expect(code).toBe(0);
    expect(shown).not.toContain(PASSPHRASE);
    expect(await readFile(join(cwd, 'again.key'), 'utf8')).toBe(await readFile(join(cwd, 'lifeboat-write.key'), 'utf8'));
  });

  it('Ctrl-C at a question ends with 130', async (ctx) => {
    ctx.skip(script === undefined, 'needs `script` of util-linux for a terminal');
    const { code, shown } = await onTerminal(await passphraseHome(), ['keys', 'export', '--role', 'write'], [['Passphrase', '\u0003']]);
    expect(code).toBe(130);
    expect(shown).toContain('error: Stopped before it was finished');
  });

  it('what cannot be undone is asked about, and anything but yes is no', async (ctx) => {
    ctx.skip(script === undefined, 'needs `script` of util-linux for a terminal');
    const cwd = await passphraseHome();
    const { code, shown } = await onTerminal(cwd, ['keys', 'remove', 'abc', '--passphrase-file', 'passphrase.txt'], [['[y/N]', 'maybe\n']]);
    expect(code).toBe(130);
    expect(shown).toContain('error: Nothing was removed');
  });

  it('colours are shown, and not without', async (ctx) => {
    ctx.skip(script === undefined, 'needs `script` of util-linux for a terminal');
    const cwd = await emptyFolder();
    const plain = await lifeboat(['points'], { cwd });
    expect(stripVTControlCharacters(plain.stderr)).toBe(plain.stderr);
    const forced = await lifeboat(['points'], { cwd, env: { FORCE_COLOR: '1' } });
    expect(stripVTControlCharacters(forced.stderr)).not.toBe(forced.stderr);
  });
});

describe('without a terminal', () => {
  it('a key that is not configured is an error, not a question', async () => {
    const { code, stderr } = await lifeboat(['keys', 'export', '--role', 'write'], { cwd: await passphraseHome() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*\n {2}fix: Give --identity FILE or --passphrase-file FILE.*\n {2}code: LB_KEY_MISSING/);
  });

  it('keys may come from the environment', async () => {
    const cwd = await passphraseHome();
    const file = join(cwd, 'lifeboat.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('    file: lifeboat-write.key\n', '    env: LB_WRITE\n  read:\n    passphraseEnv: LB_PASS\n'));
    const writeKey = (await readFile(join(cwd, 'lifeboat-write.key'), 'utf8')).trim();
    const read = await lifeboat(['keys', 'export', '--role', 'write'], { cwd, env: { LB_PASS: PASSPHRASE } });
    expect(read).toMatchObject({ code: 0, stdout: `${writeKey}\n` });
    const unset = await lifeboat(['keys', 'export', '--role', 'write'], { cwd });
    expect(unset.stderr).toContain('at $LB_PASS');
    const written = await lifeboat(['doctor', '--json'], { cwd, env: { LB_WRITE: writeKey, LB_PASS: PASSPHRASE } });
    expect(JSON.parse(written.stdout)).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ subject: 'vault "local"', check: 'repository', status: 'ok' })]) as unknown,
    });
    expect(written.stdout).not.toContain(writeKey);
  });
});

describe('an older Node', () => {
  const isOld = async (path: string): Promise<boolean> => {
    const { stdout } = await promisify(execFile)(path, ['-p', 'process.versions.node.split(".")[0]']);
    return Number(stdout) < 24;
  };

  it('is replaced by the one that came with the project, and else told in one clear error', async (ctx) => {
    const old = await findProgram('node', isOld);
    ctx.skip(old === undefined, 'needs a Node older than 24 in PATH');
    const run = promisify(execFile);
    const replaced = await run(old ?? '', [LAUNCHER, '--version']);
    expect(replaced).toMatchObject({ stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: '' });
    const alone = join(await emptyFolder(), 'lifeboat.mjs');
    await copyFile(SOURCE, alone);
    await expect(run(old ?? '', [alone])).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: lifeboat needs Node 24\.7 or newer; this is Node \d/) as string });
  });
});
