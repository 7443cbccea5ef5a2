// Brings the vaults in the folders given level, once. Prints a line when it begins and when it is done.
// usage: node replicate.child.ts VAULT_FOLDER...
import { replicate } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';

const vaults = await Promise.all(process.argv.slice(2).map((path, i) => openDirectoryVault({ name: `vault-${i}`, path })));
process.stdout.write('ready\n');
const report = await replicate({ vaults });
process.stdout.write(`${report.vaults.map(({ state }) => state).join()}\n`);
