import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Lays out a small tree with these files, and runs the project's import check over it. */
async function check(files: Record<string, string>): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-rooms-'));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  await cp(join(project, '.dependency-cruiser.cjs'), join(folder, '.dependency-cruiser.cjs'));
  await cp(join(project, 'package.json'), join(folder, 'package.json'));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(project, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), 'src', '--config', '.dependency-cruiser.cjs'],
      { cwd: folder },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}

describe('the import check', () => {
  it('passes a tree whose imports point downwards', async () => {
    const result = await check({
      'src/core/a.ts': 'export const a = 1;',
      'src/vault/b.ts': "import { a } from '../core/a.ts';\nexport const b = a;",
    });
    expect(result).toMatchObject({ code: 0 });
  });

  it('finds an import that points upwards', async () => {
    const result = await check({
      'src/core/a.ts': "import { b } from '../vault/b.ts';\nexport const a = b;",
      'src/vault/b.ts': 'export const b = 1;',
    });
    expect(result.code).not.toBe(0);
    expect(result.output).toContain('room-core');
  });

  it('finds an import between rooms that only shares a type', async () => {
    const result = await check({
      'src/repository/a.ts': "import type { B } from '../site/b.ts';\nexport const a: B = 1;",
      'src/site/b.ts': 'export type B = number;',
    });
    expect(result.code).not.toBe(0);
    expect(result.output).toContain('room-repository');
  });

  it('finds that what judges a plan would ask the vaults themselves', async () => {
    const result = await check({
      'src/placement/a.ts': "import { b } from '../repository/b.ts';\nexport const a = b;",
      'src/repository/b.ts': 'export const b = 1;',
    });
    expect(result.code).not.toBe(0);
    expect(result.output).toContain('room-placement');
  });

  it('finds an SDK imported outside its driver, and one imported at start', async () => {
    const outside = await check({ 'src/cli/a.ts': "export const load = () => import('@aws-sdk/client-s3');" });
    expect(outside.output).toContain('sdk-aws');
    const eager = await check({ 'src/vault/a.ts': "import { S3Client } from '@aws-sdk/client-s3';\nexport const c = S3Client;" });
    expect(eager.output).toContain('sdk-lazily');
  });

  it('finds a room that nobody gave a place', async () => {
    const result = await check({
      'src/core/a.ts': 'export const a = 1;',
      'src/somewhere/b.ts': "export { a } from '../core/a.ts';",
    });
    expect(result.code).not.toBe(0);
    expect(result.output).toContain('known-room');
  });
});
