// Heals the first of the folders given from the others, until it is killed. Prints a line when it begins.
// usage: node heal.child.ts KEY_FILE VAULT_FOLDER...
import { readFileSync } from 'node:fs';
import { parseWriteKey } from '../../src/keys/index.ts';
import { verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';

const [keyFile = '', ...folders] = process.argv.slice(2);
const vaults = await Promise.all(folders.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path })));
const trusted = parseWriteKey(readFileSync(keyFile, 'utf8'));
let begun = false;
await verify({
  vaults,
  trusted,
  depth: 'data',
  heal: 'heal',
  onProgress: ({ phase, done }) => {
    if (phase === 'heal') process.stdout.write(`${done}\n`);
    else if (!begun) process.stdout.write('ready\n');
    begun = true;
  },
});
process.stdout.write('done\n');
