import { cp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LAUNCHER } from '../support/launcher.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import {
  addedDocument,
  backupDocument,
  doctorDocument,
  errorDocument,
  exportedDocument,
  identityDocument,
  initDocument,
  pointsDocument,
  removedDocument,
  slotsDocument,
} from './documents.ts';
import { edit, furnish, makeHome } from './home.ts';
import type { Home } from './home.ts';
import { emptyFolder, lifeboat } from './lifeboat.ts';

let site: Site;
/** With one recovery point. Only read and copied. */
let home: Home;

beforeAll(async () => {
  site = await startSite({ name: 'prod' });
  await furnish(site, 'shop');
  home = await makeHome(site);
  await home.json(backupDocument, 0, ['backup']);
});

afterAll(async () => {
  await site?.stop();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

describe('a mistake in lifeboat.yaml', () => {
  it('is shown with its line, the place and a suggestion, and all of them at once', async () => {
    const broken = await home.copy();
    await edit(broken, 'lifeboat.yaml', 'type: directory\n    path: far', 'type: directory\n    pth: far');
    await edit(broken, 'lifeboat.yaml', 'vaults: [near, far]', 'vaults: [near, farr]');
    const text = await readFile(broken.path('lifeboat.yaml'), 'utf8');
    const lineOf = (piece: string): number => text.slice(0, text.indexOf(piece)).split('\n').length;
    const [first, second] = [lineOf('pth: far'), lineOf('[near, farr]')];
    const { code, stdout, stderr } = await broken.run(['backup']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`error: lifeboat.yaml has 2 mistakes

  lifeboat.yaml:${first}:5
    vaults.far.pth: there is no such field
    ${first} |     pth: far
       |     ^^^
    did you mean \`path\`?

  lifeboat.yaml:${second}:20
    plans.prod.vaults.1: there is no vault \`farr\`
    ${second} |     vaults: [near, farr]
       |                    ^^^^
    did you mean \`far\`?

  fix: Correct the file; docs/configuration.md describes every field.
  code: LB_CONFIG_INVALID (docs/errors.md)
`);
    const { error } = await broken.json(errorDocument, 2, ['points']);
    expect(error).toMatchObject({ code: 'LB_CONFIG_INVALID', message: 'lifeboat.yaml has 2 mistakes', problems: [{ line: first, column: 5 }, { line: second }] });
  });

  it('is no stumbling block for what needs no lifeboat.yaml', async () => {
    const broken = await home.copy();
    await writeFile(broken.path('lifeboat.yaml'), 'nonsense: [');
    const { points } = await broken.json(pointsDocument, 0, ['points', '--vault', 'dir:near']);
    expect(points).toHaveLength(1);
  });

  it('may be that there is none', async () => {
    const { code, stderr } = await lifeboat(['backup'], { cwd: await emptyFolder() });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: There is no lifeboat\.yaml\n {2}at .*lifeboat\.yaml\n {2}fix: Make one with `lifeboat init`/);
  });

  it('may be in the file that --config or LIFEBOAT_CONFIG names', async () => {
    const cwd = await emptyFolder();
    const byOption = await lifeboat(['points', '--config', home.path('lifeboat.yaml')], { cwd });
    const byVariable = await lifeboat(['points'], { cwd, env: { LIFEBOAT_CONFIG: home.path('lifeboat.yaml') } });
    expect([byOption.code, byVariable.code]).toEqual([0, 0]);
    expect((await lifeboat(['points'], { cwd, env: { LIFEBOAT_CONFIG: 'none.yaml' } })).stderr).toContain('There is no none.yaml');
  });
});

describe('a name that does not exist', () => {
  it('is met with what was probably meant', async () => {
    const hint = async (...args: string[]): Promise<string | undefined> => (await home.json(errorDocument, 2, args)).error.hint;
    expect(await hint('backup', 'prd')).toBe('Did you mean `prod`?');
    expect(await hint('points', '--vault', 'nera')).toBe('Did you mean `near`?');
    expect(await hint('restore', '--to', 'standby', '--yes')).toBe('lifeboat.yaml names prod.');
    expect(await hint('keys', 'new-identity', 'nowhere/key.txt')).toContain('a folder that is there');
    const unknown = await home.json(errorDocument, 1, ['show', 'latest', '--site', 'prd']);
    expect(unknown.error).toMatchObject({ code: 'LB_POINT_NOT_FOUND', message: 'There is no recovery point of site "prd"', hint: expect.stringContaining('lifeboat points') as string });
  });
});

describe('keys', () => {
  it('that do not fit are one clear error', async () => {
    const broken = await home.copy();
    expect((await broken.run(['keys', 'new-identity', 'other.txt', '--classic'])).code).toBe(0);
    await writeFile(broken.path('passphrase.txt'), 'a passphrase that opens nothing\n');
    const identity = await broken.json(errorDocument, 1, ['show', 'latest', '--identity', 'other.txt']);
    expect(identity.error.code).toBe('LB_KEY_WRONG');
    expect((await broken.run(['keys', 'add', '--new-passphrase-file', 'passphrase.txt'])).code).toBe(0);
    await writeFile(broken.path('wrong.txt'), 'another one that opens nothing\n');
    const passphrase = await broken.run(['show', 'latest', '--passphrase-file', 'wrong.txt']);
    expect(passphrase.code).toBe(1);
    expect(passphrase.stderr).toMatch(/^error: .*\n(?: {2}at .*\n)? {2}fix: .*\n {2}code: LB_KEY_WRONG \(docs\/errors\.md\)\n$/);
    expect((await broken.run(['show', 'latest', '--passphrase-file', 'passphrase.txt'])).code).toBe(0);
  });

  it('that are not there, malformed, or of another repository are named', async () => {
    const broken = await home.copy();
    await rename(broken.path('lifeboat-identity.txt'), broken.path('moved.txt'));
    const missing = await broken.json(errorDocument, 2, ['show', 'latest']);
    expect(missing.error).toMatchObject({ code: 'LB_KEY_MISSING', where: broken.path('lifeboat-identity.txt') });
    const checked = await broken.run(['verify']);
    expect(checked).toMatchObject({ code: 0, stderr: expect.stringContaining('warning: Going on without a key') as string });
    const { findings } = doctorDocument.parse(JSON.parse((await broken.run(['doctor', '--json'])).stdout));
    const wrong = findings.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check}: ${status}`);
    expect(new Set(wrong)).toEqual(new Set(['read-key: warn', 'verified: warn']));
    await writeFile(broken.path('lifeboat-identity.txt'), 'AGE-SECRET-KEY-1NOTONE');
    const malformed = await broken.json(errorDocument, 2, ['show', 'latest']);
    expect(malformed.error).toMatchObject({ code: 'LB_KEY_INVALID', where: broken.path('lifeboat-identity.txt') });
    await edit(broken, 'lifeboat-write.key', /.{20}$/m, '');
    const cut = await broken.json(errorDocument, 2, ['backup']);
    expect(cut.error).toMatchObject({ code: 'LB_KEY_INVALID', where: broken.path('lifeboat-write.key') });
    const other = await makeHome(site);
    onTestFinished(() => rm(other.folder, { recursive: true, force: true }));
    await cp(other.path('lifeboat-write.key'), broken.path('lifeboat-write.key'));
    expect((await broken.json(errorDocument, 1, ['backup'])).error.code).toMatch(/^LB_(KEY_WRONG|REPO_EXISTS)$/);
  });

  it('can be added, listed, used and removed, but never the last', async () => {
    const changing = await home.copy();
    const { slots: before } = await changing.json(slotsDocument, 0, ['keys', 'list']);
    expect(before.map(({ kind }) => kind)).toEqual(['post-quantum']);
    const { recipient } = await changing.json(identityDocument, 0, ['keys', 'new-identity', 'spare.txt', '--classic']);
    const { added } = await changing.json(addedDocument, 0, ['keys', 'add', '--recipient', recipient]);
    expect(added).toMatchObject([{ failed: [] }]);
    expect((await changing.run(['show', 'latest', '--identity', 'spare.txt'])).code).toBe(0);
    const asked = await changing.run(['keys', 'remove', before[0]?.id ?? '']);
    expect({ code: asked.code, hint: asked.stderr.includes('Add --yes.') }).toEqual({ code: 2, hint: true });
    const { removed } = await changing.json(removedDocument, 0, ['keys', 'remove', before[0]?.id.slice(0, 10) ?? '', '--yes']);
    expect(removed).toMatchObject([{ id: before[0]?.id, failed: [] }]);
    expect((await changing.json(errorDocument, 1, ['show', 'latest'])).error.code).toBe('LB_KEY_WRONG');
    const { slots: after } = await changing.json(slotsDocument, 0, ['keys', 'list', '--vault', 'far']);
    expect(after.map(({ kind }) => kind)).toEqual(['x25519']);
    const last = await changing.json(errorDocument, 2, ['keys', 'remove', after[0]?.id ?? '', '--yes', '--identity', 'spare.txt']);
    expect(last.error.message).toContain('nobody could open it any more');
  });

  it('are said not to be changed in a vault that is away', async () => {
    const changing = await home.copy();
    const { slots: before } = await changing.json(slotsDocument, 0, ['keys', 'list']);
    const { recipient } = await changing.json(identityDocument, 0, ['keys', 'new-identity', 'spare.txt', '--classic']);
    await rename(changing.path('far'), changing.path('away'));
    const away = { vaults: ['near'], failed: [{ vault: 'far', code: 'LB_VAULT_UNAVAILABLE' }] };
    expect((await changing.json(addedDocument, 3, ['keys', 'add', '--recipient', recipient])).added).toMatchObject([away]);
    expect((await changing.json(removedDocument, 3, ['keys', 'remove', before[0]?.id ?? '', '--yes'])).removed).toMatchObject([away]);
  });

  it('can be made again: a lost write key from the key that opens the repository', async () => {
    const changing = await home.copy();
    const lost = await readFile(changing.path('lifeboat-write.key'), 'utf8');
    const refused = await changing.json(errorDocument, 2, ['keys', 'export', '--role', 'write', '-o', 'lifeboat-write.key']);
    expect(refused.error.code).toBe('LB_CONFIG_EXISTS');
    await rm(changing.path('lifeboat-write.key'));
    expect(await changing.json(exportedDocument, 0, ['keys', 'export', '--role', 'write', '-o', 'lifeboat-write.key'])).toMatchObject({ role: 'write', file: changing.path('lifeboat-write.key') });
    expect(await readFile(changing.path('lifeboat-write.key'), 'utf8')).toBe(lost);
    expect((await changing.run(['keys', 'export', '--role', 'write'])).stdout).toBe(lost);
    expect(await changing.json(exportedDocument, 0, ['keys', 'export', '--role', 'write'])).toMatchObject({ key: lost.trim() });
  });
});

describe('keys of roles', () => {
  it('are exported, and do their own work and nothing else', async () => {
    const split = await home.copy();
    for (const role of ['read', 'maintain']) {
      const written = await split.run(['keys', 'export', '--role', role, '-o', `${role}.key`]);
      expect({ code: written.code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
      expect(await readFile(split.path(`${role}.key`), 'utf8')).toMatch(new RegExp(`^lifeboat-${role}-key-1\\.\\S+\\n$`));
      expect((await stat(split.path(`${role}.key`))).mode & 0o777).toBe(0o600);
    }
    await rename(split.path('lifeboat-identity.txt'), split.path('kept.txt'));
    await edit(split, 'lifeboat.yaml', 'identityFile: lifeboat-identity.txt', 'file: read.key\n  maintain:\n    file: maintain.key');
    expect((await split.run(['show', 'latest'])).code).toBe(0);
    expect((await split.run(['verify', '--data'])).code).toBe(0);
    const { findings } = doctorDocument.parse(JSON.parse((await split.run(['doctor', '--json'])).stdout));
    expect(findings.filter(({ check }) => check.endsWith('-key')).map(({ subject, check, status }) => `${subject} ${check} ${status}`)).toEqual([
      'keys write-key ok',
      ...['near', 'far'].flatMap((vault) => ['read-key', 'maintain-key'].map((check) => `vault "${vault}" ${check} ok`)),
    ]);
    const owner = ['--identity', 'kept.txt'];
    for (const args of [['keys', 'export', '--role', 'write'], ['keys', 'add', '--recipient', 'age1x']]) {
      expect((await split.json(errorDocument, 2, args)).error).toMatchObject({ code: 'LB_KEY_MISSING' });
      expect((await split.json(errorDocument, 2, [...args, '--key-file', 'read.key'])).error).toMatchObject({ code: 'LB_KEY_ROLE' });
    }
    expect((await split.json(errorDocument, 2, ['show', 'latest', '--key-file', 'maintain.key'])).error).toMatchObject({ code: 'LB_KEY_ROLE' });
    const made = await split.run(['keys', 'new-identity', 'reader.txt']);
    const recipient = /^age1\S+$/m.exec(made.stdout)?.[0] ?? '';
    expect((await split.run(['keys', 'add', '--recipient', recipient, '--role', 'read', ...owner])).code).toBe(0);
    expect((await split.run(['show', 'latest', '--identity', 'reader.txt'])).code).toBe(0);
    const { slots } = await split.json(slotsDocument, 0, ['keys', 'list']);
    expect(slots.map(({ role }) => role).sort()).toEqual(['owner', 'read']);
    const reading = slots.find(({ role }) => role === 'read')?.id ?? '';
    expect((await split.run(['keys', 'remove', reading, '--yes'])).code).toBe(0);
    expect((await split.json(errorDocument, 1, ['show', 'latest', '--identity', 'reader.txt'])).error.code).toBe('LB_KEY_WRONG');
    await writeFile(split.path('read.key'), await readFile(split.path('maintain.key'), 'utf8'));
    expect((await split.json(errorDocument, 2, ['show', 'latest'])).error).toMatchObject({
      code: 'LB_KEY_INVALID',
      message: 'This is a maintain key, and a read key is needed',
    });
  });
});

describe('lifeboat init', () => {
  it('never overwrites anything', async () => {
    const again = await home.copy();
    const options = ['--kubeconfig', site.kubeconfigPath, '--vault', 'dir:new'];
    expect((await again.json(errorDocument, 2, ['init', ...options])).error.code).toBe('LB_CONFIG_EXISTS');
    await rm(again.path('lifeboat.yaml'));
    const kept = await again.json(errorDocument, 2, ['init', ...options]);
    expect(kept.error).toMatchObject({ code: 'LB_CONFIG_EXISTS', where: again.path('lifeboat-write.key') });
    await rm(again.path('lifeboat-write.key'));
    await rm(again.path('lifeboat-identity.txt'));
    const taken = await again.json(errorDocument, 1, ['init', '--kubeconfig', site.kubeconfigPath, '--vault', 'dir:near']);
    expect(taken.error.code).toBe('LB_REPO_EXISTS');
    expect(await readdir(again.folder)).not.toContain('lifeboat-identity.txt');
  });

  it('takes no place for two vaults', async () => {
    const folder = await emptyFolder();
    const result = await lifeboat(['init', '--kubeconfig', site.kubeconfigPath, '--vault', 'dir:one', '--vault', 'two=dir:./one/', '--json'], { cwd: folder });
    expect({ code: result.code, error: errorDocument.parse(JSON.parse(result.stdout)).error }).toMatchObject({ code: 2, error: { code: 'LB_USAGE', message: expect.stringContaining('the same place') as string } });
    expect(await readdir(folder)).toEqual([]);
  });

  it('sets up a vault that was added to lifeboat.yaml, and nothing else', async () => {
    const grown = await home.copy();
    await edit(grown, 'lifeboat.yaml', '  # offsite:\n', '  third:\n    type: directory\n    path: third\n  # offsite:\n');
    const { vaults, files } = await grown.json(initDocument, 0, ['init']);
    expect(vaults.filter((vault) => vault.created).map(({ name }) => name)).toEqual(['third']);
    expect(files).toEqual([]);
    const { slots } = await grown.json(slotsDocument, 0, ['keys', 'list', '--vault', 'third']);
    expect(slots).toHaveLength(1);
    expect((await grown.run(['init'])).stdout).toContain('everything was set up already');
  });

  it('makes a lost lifeboat.json again with the key that opens the repository, and never a new repository over it', async () => {
    const changing = await home.copy();
    const headers = ['near/lifeboat.json', 'far/lifeboat.json'].map((name) => changing.path(name));
    for (const header of headers) await rm(header);
    await rename(changing.path('lifeboat-identity.txt'), changing.path('kept.txt'));
    const before = await readdir(changing.folder);
    const backup = await changing.json(errorDocument, 1, ['backup']);
    expect(backup.error).toMatchObject({ code: 'LB_REPO_MISSING', hint: expect.stringContaining('init --identity FILE') as string });
    expect((await changing.json(errorDocument, 1, ['init'])).error.code).toBe('LB_REPO_HEADER_LOST');
    expect((await changing.run(['keys', 'new-identity', 'other.txt', '--classic'])).code).toBe(0);
    const other = await changing.json(errorDocument, 1, ['init', '--identity', 'other.txt']);
    expect(other.error).toMatchObject({ code: 'LB_REPO_HEADER_LOST', message: expect.stringContaining('None of the 1 key slots opens') as string });
    await rm(changing.path('other.txt'));
    expect(await readdir(changing.folder)).toEqual(before);
    const { vaults, files } = await changing.json(initDocument, 0, ['init', '--identity', 'kept.txt']);
    expect({ files, created: vaults.map(({ created }) => created) }).toEqual({ files: [], created: [true, true] });
    const { points } = await changing.json(pointsDocument, 0, ['points']);
    expect(points).toHaveLength(1);
    expect((await changing.run(['backup'])).code).toBe(0);
    // By the configured key, and in one vault only.
    await rename(changing.path('kept.txt'), changing.path('lifeboat-identity.txt'));
    await rm(changing.path('far/lifeboat.json'));
    expect((await changing.json(initDocument, 0, ['init'])).vaults.map(({ created }) => created)).toEqual([false, true]);
    // From nothing: the vault is refused, and no file is written.
    for (const header of headers) await rm(header);
    for (const name of ['lifeboat.yaml', 'lifeboat-write.key', 'lifeboat-identity.txt']) await rm(changing.path(name));
    const anew = await changing.json(errorDocument, 1, ['init', '--kubeconfig', site.kubeconfigPath, '--vault', 'dir:near']);
    expect(anew.error.code).toBe('LB_REPO_HEADER_LOST');
    expect((await readdir(changing.folder)).toSorted()).toEqual(['far', 'near']);
  });

  it('has nothing to do, and needs no key, where everything is set up', async () => {
    const backupsOnly = await home.copy();
    await edit(backupsOnly, 'lifeboat.yaml', /^ {2}read:\n(?: {4}.*\n)+/m, '');
    await rm(backupsOnly.path('lifeboat-identity.txt'));
    const { code, stdout, stderr } = await backupsOnly.run(['init']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('everything was set up already');
  });

  it('first writes the file, and makes keys and vaults of what it then says', async () => {
    const cwd = await emptyFolder();
    const first = await lifeboat(['init', '--kubeconfig', site.kubeconfigPath], { cwd });
    expect(first.code).toBe(0);
    expect(await readdir(cwd)).toEqual(['lifeboat.yaml']);
    const second = await lifeboat(['init', '--json'], { cwd });
    expect(initDocument.parse(JSON.parse(second.stdout)).files.map(({ kind }) => kind)).toEqual(['identity', 'write-key']);
    expect((await lifeboat(['backup'], { cwd })).code).toBe(0);
  });

  it('takes a passphrase or a recipient instead of making an identity', async () => {
    const cwd = await emptyFolder();
    await writeFile(join(cwd, 'passphrase.txt'), 'a long passphrase for the test\n', { mode: 0o600 });
    const options = ['--kubeconfig', site.kubeconfigPath, '--vault', 'dir:vault'];
    expect((await lifeboat(['init', ...options, '--passphrase-file', 'passphrase.txt'], { cwd })).code).toBe(0);
    expect((await readdir(cwd)).toSorted()).toEqual(['lifeboat-write.key', 'lifeboat.yaml', 'passphrase.txt', 'vault']);
    expect((await lifeboat(['doctor'], { cwd })).code).toBe(0);
    const other = await emptyFolder();
    const identity = await lifeboat(['keys', 'new-identity', 'mine.txt', '--json'], { cwd: other });
    const { recipient } = JSON.parse(identity.stdout) as { recipient: string };
    expect((await lifeboat(['init', ...options, '--recipient', recipient], { cwd: other })).code).toBe(0);
    expect((await lifeboat(['keys', 'export', '--role', 'write', '--identity', 'mine.txt', '-q'], { cwd: other })).code).toBe(0);
  });

  it('takes an identity that is there instead of making one', async () => {
    const cwd = await emptyFolder();
    expect((await lifeboat(['keys', 'new-identity', 'mine.txt'], { cwd })).code).toBe(0);
    const { code } = await lifeboat(['init', '--kubeconfig', site.kubeconfigPath, '--vault', 'dir:vault', '--identity', 'mine.txt'], { cwd });
    expect(code).toBe(0);
    expect((await readdir(cwd)).toSorted()).toEqual(['lifeboat-write.key', 'lifeboat.yaml', 'mine.txt', 'vault']);
    expect(await readFile(join(cwd, 'lifeboat.yaml'), 'utf8')).toContain('identityFile: mine.txt');
    expect((await lifeboat(['keys', 'export', '--role', 'write', '-q'], { cwd })).code).toBe(0);
  });
});

describe('the launcher', () => {
  it('is executable, and named by package.json', async () => {
    const root = new URL('../../', import.meta.url);
    const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { bin?: Record<string, string> };
    expect(manifest.bin).toEqual({ lifeboat: relative(fileURLToPath(root), LAUNCHER) });
    expect((await stat(LAUNCHER)).mode & 0o111).not.toBe(0);
  });
});
