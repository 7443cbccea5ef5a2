// Backs a file up as a block image or as a stream, or restores it, as one command.
// usage: node volume.child.ts image|stream|restore VAULT_FOLDER KEY_FILE FILE
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { tuneEngine } from '../src/cli/engine.ts';
import { parseWriteKey } from '../src/keys/index.ts';
import type { BytesRef } from '../src/repository/api.ts';
import { FileTarget, openReader, openWriter, unlock } from '../src/repository/index.ts';
import { openDirectoryVault } from '../src/vault/directory.ts';

// As the command line runs.
tuneEngine();

const [command = '', folder = '', keyFile = '', path = ''] = process.argv.slice(2);
const manifestSchema = z.object({ volume: z.object({ bytes: z.number(), map: z.string() }) });

const vault = await openDirectoryVault({ name: 'bench', path: folder });
const key = await readFile(keyFile, 'utf8');
if (command === 'restore') await restore();
else await backUp();

async function backUp(): Promise<void> {
  const writer = await openWriter({ vaults: [vault], writeKey: parseWriteKey(key) });
  const session = await writer.begin('bench');
  const ref = command === 'image' ? await image() : await session.stream(createReadStream(path, { highWaterMark: 1024 * 1024 }));
  await session.commit({ at: new Date().toISOString(), complete: true, manifest: { volume: { ...ref } } });

  async function image(): Promise<BytesRef> {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      return await session.image(async (into, offset) => (await file.read(into, 0, into.length, offset)).bytesRead, size);
    } finally {
      await file.close();
    }
  }
}

async function restore(): Promise<void> {
  const { keys } = await unlock([vault], { identities: [key.trim()] });
  const reader = await openReader({ vaults: [vault], keys });
  const point = await reader.open('latest');
  const { volume } = manifestSchema.parse(point.manifest);
  const target = await FileTarget.create(path, volume.bytes);
  try {
    await point.restore(volume, target);
    await target.sync();
  } finally {
    await target.close();
  }
  await reader.close();
}
