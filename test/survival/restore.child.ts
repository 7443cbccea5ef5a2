// Restores the newest point into a site when it is told to, and says how far it is; run by tests to be killed.
// usage: node restore.child.ts JOB_FILE
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { restore } from '../../src/pipeline/restore/restore.ts';
import { pointSource } from '../../src/pipeline/sources.ts';
import { openReader, unlock } from '../../src/repository/index.ts';
import { connectSite } from '../../src/site/connect.ts';
import { vaultConfigSchema } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';

const jobSchema = z.object({
  kubeconfig: z.string(),
  vaults: z.record(z.string(), vaultConfigSchema),
  /** An age identity, which tests make for themselves. */
  identity: z.string(),
});
/** What the restore is made of. */
export type RestoreJob = z.input<typeof jobSchema>;

const job = jobSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const told = createInterface(process.stdin)[Symbol.asyncIterator]();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const vaults = await Promise.all(Object.entries(job.vaults).map(([name, vault]) => openVault({ ...vault, name })));
const { keys } = await unlock(vaults, { identities: [job.identity] });
const reader = await openReader({ vaults, keys });
const connection = await connectSite({ name: 'target', kubeconfig: job.kubeconfig });

// Who is killed keeps nothing at its end: what was compiled is kept for the next ones now.
flushCompileCache();
say('ready');
await told.next();
say('started');
const source = pointSource(await reader.open('latest'));
const report = await restore({
  source,
  target: connection,
  options: {},
  onProgress: ({ phase, done, total = 0 }) => say(`${phase} ${done} ${total}`),
});
say(`report ${JSON.stringify(report)}`);
process.stdin.destroy();
await connection.close();
await Promise.all(vaults.map((vault) => vault.close()));
