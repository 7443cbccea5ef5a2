import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';
import { openPlace } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { fillPlain } from './filling.ts';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('disk.child.ts', import.meta.url));

let folder: string;
let place: Place;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-disk-'));
  place = await openPlace({ name: 'prod', controllers: false });
  await fillPlain(place.site.api);
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the child with a small disk of its own, in a mount namespace that ends with it; so nothing stays mounted. */
async function onDisk(ctx: TestContext, trouble: 'full' | 'read-only'): Promise<unknown> {
  const mount = 'mount -t tmpfs -o size=48m tmpfs "$DISK"';
  const env = { ...process.env, DISK: folder, NODE: process.execPath, CHILD, TROUBLE: trouble, KUBECONFIG_FILE: place.site.kubeconfigPath, NODE_OPTIONS: '' };
  try {
    await run('unshare', ['--mount', 'sh', '-ec', mount], { env });
  } catch {
    return ctx.skip('a file system can be mounted only by root, and not in every container');
  }
  const { stdout } = await run('unshare', ['--mount', 'sh', '-ec', `${mount}; exec "$NODE" --disable-warning=ExperimentalWarning "$CHILD" "$TROUBLE" "$DISK" "$KUBECONFIG_FILE"`], { env });
  return JSON.parse(stdout);
}

/** What is to be seen when the trouble is one clear error with this code. */
const expected = (code: string): Record<string, unknown> => ({
  'with another vault': `safe, not disk: ${code}, vault-dropped, point-not-safe`,
  'the point of the other vault': true,
  'with another vault, afterwards': 'disk, safe',
  'of both vaults': ['disk: 1 of 1 points', 'safe: 2 of 2 points'],
  'the disk alone': true,
  'the only vault': [`${code} vault "disk"`],
  'points visible then': [0, 0, 0, 0, 0],
  'the only vault, afterwards': 'disk',
  'of the only vault': ['disk: 1 of 1 points'],
});

describe('a backup into a vault on a disk', () => {
  it('that is full is one clear error, or goes to the other vault; with room again all is well', async (ctx) => {
    expect(await onDisk(ctx, 'full')).toEqual(expected('LB_VAULT_FULL'));
  });

  it('that is read-only likewise', async (ctx) => {
    expect(await onDisk(ctx, 'read-only')).toEqual(expected('LB_VAULT_READ_ONLY'));
  });
});
