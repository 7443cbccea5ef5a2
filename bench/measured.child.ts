/**
 * One piece of work in a process of its own, so that its peak memory is its own. Prints `{seconds, peakMegabytes}`.
 * `node measured.child.ts backup|restore KUBECONFIG VAULT_FOLDER KEY_FILE`
 */
import { readFile } from 'node:fs/promises';
import { parseWriteKey, writeKeyOf } from '../src/keys/index.ts';
import { backup } from '../src/pipeline/backup.ts';
import { restore } from '../src/pipeline/restore/restore.ts';
import { pointSource } from '../src/pipeline/sources.ts';
import { openReader, openWriter, unlock } from '../src/repository/index.ts';
import { connectSite } from '../src/site/connect.ts';
import { openVault } from '../src/vault/open.ts';

const [work, kubeconfig = '', path = '', keyFile = ''] = process.argv.slice(2);
const connection = await connectSite({ name: 'bench', kubeconfig });
const vault = await openVault({ type: 'directory', name: 'bench', path });
const key = (await readFile(keyFile, 'utf8')).trim();
const began = performance.now();
if (work === 'backup') {
  const writeKey = key.startsWith('AGE-SECRET-KEY') ? writeKeyOf((await unlock([vault], { identities: [key] })).keys) : parseWriteKey(key);
  await backup({ connection, writer: await openWriter({ vaults: [vault], writeKey }), site: 'bench' });
} else {
  const { keys } = await unlock([vault], { identities: [key] });
  const reader = await openReader({ vaults: [vault], keys });
  const report = await restore({ source: pointSource(await reader.open('latest')), target: connection });
  if (!report.ok) throw new Error(`the restore is not whole: ${JSON.stringify(report.failures.slice(0, 3))}`);
}
const seconds = (performance.now() - began) / 1000;
// Kilobytes on Linux.
console.log(JSON.stringify({ seconds, peakMegabytes: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
