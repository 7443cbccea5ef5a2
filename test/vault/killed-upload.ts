import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { VaultSettings } from '../../src/vault/config.ts';

/** Lets another process upload to `key`, and kills it with SIGKILL when it has handed over `killAt` of `size` bytes. */
export async function killedUpload(config: VaultSettings, key: string, size: number, killAt: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-upload-'));
  const file = join(folder, 'vault.json');
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env };
  // Options of the test runner are not meant for it.
  delete env['NODE_OPTIONS'];
  const script = fileURLToPath(new URL('upload.child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, file, key, String(size)], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  try {
    let reached = false;
    for await (const line of createInterface(child.stdout)) {
      reached = Number(line) >= killAt;
      if (reached) break;
    }
    if (!reached) throw new Error(`the upload ended by itself: ${complaint}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  }
}
