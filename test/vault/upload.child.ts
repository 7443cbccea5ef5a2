import { readFileSync } from 'node:fs';
import { vaultConfigSchema } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';

// Uploads an object that never ends: run by tests to be killed. Takes a file with the vault's configuration, the key
// and the size announced; says on standard output how many bytes were taken from it.
// Whoever started it and is gone cannot kill it any more.
process.stdin.on('end', () => process.exit()).resume();

const [file = '', key = '', size = '0'] = process.argv.slice(2);
const vault = await openVault({ name: 'child', ...vaultConfigSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) });
const part = new Uint8Array(64 * 1024).fill(1);
await vault.put(key, {
  size: Number(size),
  stream: async function* () {
    for (let sent = 0; ; sent += part.byteLength) {
      process.stdout.write(`${sent}\n`);
      yield part;
      if (sent + 2 * part.byteLength >= Number(size)) await new Promise((resolve) => setTimeout(resolve, 600_000));
    }
  },
});
