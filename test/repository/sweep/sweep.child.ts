// Sweeps the folders given, one time after the other, until it is killed. Prints a line for each sweep.
// usage: node sweep.child.ts MAINTAIN_KEY_FILE GRACE_MS VAULT_FOLDER...
import { readFileSync } from 'node:fs';
import { isLifeboatError } from '../../../src/core/errors.ts';
import { parseMaintainKey } from '../../../src/keys/index.ts';
import { sweep } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';

const [keyFile = '', grace = '0', ...folders] = process.argv.slice(2);
const vaults = await Promise.all(folders.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path })));
const key = parseMaintainKey(readFileSync(keyFile, 'utf8'));
process.stdout.write('ready\n');
for (;;) {
  try {
    const report = await sweep({ vaults, key, grace: Number(grace), lease: 300 });
    process.stdout.write(`${report.vaults.reduce((sum, { deleted }) => sum + deleted, 0)}\n`);
  } catch (error) {
    // Another one is at work, or took over from one that was too slow.
    if (!isLifeboatError(error, 'LB_REPO_BUSY')) throw error;
    process.stdout.write('busy\n');
  }
}
