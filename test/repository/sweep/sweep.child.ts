// Sweeps the folders given, one time after the other, until it is killed. Prints a line for each sweep. With AHEAD in the
// environment its clock is so many ms ahead.
// usage: node sweep.child.ts MAINTAIN_KEY_FILE VAULT_FOLDER...
import { readFileSync } from 'node:fs';
import { isLifeboatError } from '../../../src/core/errors.ts';
import { parseMaintainKey } from '../../../src/keys/index.ts';
import { sweep } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import { clockAhead } from '../scene.ts';

const [keyFile = '', ...folders] = process.argv.slice(2);
const vaults = await Promise.all(folders.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path })));
const key = parseMaintainKey(readFileSync(keyFile, 'utf8'));
const clock = clockAhead(Number(process.env['AHEAD'] ?? 0));
process.stdout.write('ready\n');
for (;;) {
  try {
    const report = await sweep({ vaults, key, clock, lease: 300 });
    process.stdout.write(`${report.vaults.reduce((sum, { deleted }) => sum + deleted, 0)}\n`);
  } catch (error) {
    // Another one is at work, or took over from one that was too slow.
    if (!isLifeboatError(error, 'LB_REPO_BUSY')) throw error;
    process.stdout.write('busy\n');
  }
}
