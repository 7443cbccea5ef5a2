// Begins a backup in a repository with a very large index, says what that took, and stores an image of chunks that are known.
// usage: node large-index.child.ts VAULT_FOLDER WRITE_KEY_FILE
import { readFileSync } from 'node:fs';
import { tuneEngine } from '../src/cli/engine.ts';
import { parseWriteKey } from '../src/keys/index.ts';
import { openWriter } from '../src/repository/index.ts';
import { openDirectoryVault } from '../src/vault/directory.ts';
import { CHUNK, knownChunk, KNOWN_CHUNKS } from './large-index.chunks.ts';

// As the command line runs.
tuneEngine();

const [folder = '', keyFile = ''] = process.argv.slice(2);
const began = performance.now();
const vault = await openDirectoryVault({ name: 'bench', path: folder });
const writer = await openWriter({ vaults: [vault], writeKey: parseWriteKey(readFileSync(keyFile, 'utf8')) });
const session = await writer.begin('bench');
const openSeconds = (performance.now() - began) / 1000;
const openMegabytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024 / 1e6;

const volume = await session.image((into, offset) => {
  const within = offset % CHUNK;
  const part = knownChunk(Math.floor(offset / CHUNK)).subarray(within, within + into.length);
  into.set(part);
  return Promise.resolve(part.length);
}, KNOWN_CHUNKS * CHUNK);
const { header } = await session.commit({ at: new Date().toISOString(), complete: true, manifest: { volume: { ...volume } } });
const totalSeconds = (performance.now() - began) / 1000;
process.stdout.write(JSON.stringify({ openSeconds, openMegabytes, newChunks: header.stats.newChunks, totalSeconds }));
