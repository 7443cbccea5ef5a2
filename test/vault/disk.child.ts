import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { codeOf } from './bytes.ts';

// Run by tests on a small or read-only disk that only this process sees. Stores some objects, and says what came of it.
const path = process.argv[2] ?? '';
const vault = await openDirectoryVault({ name: 'disk', path });
const put = (key: string, size: number): Promise<string> => vault.put(key, new Uint8Array(size)).catch(codeOf);

async function keys(of: Vault): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of of.list('')) found.push(key);
  return found;
}

const outcomes = [await put('small', 1000), await put('large', 3_000_000), await put('dir/large', 3_000_000), await put('last', 1000)];
const unfinished = await readdir(join(path, '.tmp')).catch(() => []);
process.stdout.write(JSON.stringify({ outcomes, keys: await keys(vault), unfinished }));
