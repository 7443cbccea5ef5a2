import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TestContext } from 'vitest';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('disk.child.ts', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-disk-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the child on a disk of its own, in a mount namespace that ends with it; so nothing stays mounted. */
async function onDisk(ctx: TestContext, mount: string): Promise<unknown> {
  try {
    await run('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', folder]);
  } catch {
    return ctx.skip('a file system can be mounted only by root, and not in every container');
  }
  const env = { ...process.env, DISK: folder, NODE: process.execPath, CHILD, NODE_OPTIONS: '' };
  const { stdout } = await run('unshare', ['--mount', 'sh', '-ec', `${mount}; exec "$NODE" "$CHILD" "$DISK"`], { env });
  return JSON.parse(stdout);
}

describe('a vault on a disk', () => {
  it('that gets full refuses what does not fit, leaves nothing of it, and goes on with what fits', async (ctx) => {
    const seen = await onDisk(ctx, 'mount -t tmpfs -o size=1m tmpfs "$DISK"');
    expect(seen).toEqual({
      outcomes: ['created', 'LB_VAULT_FULL', 'LB_VAULT_FULL', 'created'],
      keys: ['last', 'small'],
      unfinished: [],
    });
  });

  it('that is mounted read-only can be read', async (ctx) => {
    const fill = 'mount -t tmpfs tmpfs "$DISK"; echo x > "$DISK/there"; mount -o remount,ro "$DISK"';
    const refused = 'LB_VAULT_READ_ONLY';
    expect(await onDisk(ctx, fill)).toEqual({ outcomes: [refused, refused, refused, refused], keys: ['there'], unfinished: [] });
  });
});
