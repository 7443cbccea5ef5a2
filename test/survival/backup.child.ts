// Makes one backup of a site when it is told to, and says how far it is; run by tests to be killed, or to run beside another.
// usage: node backup.child.ts JOB_FILE
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { parseWriteKey } from '../../src/keys/index.ts';
import { backup } from '../../src/pipeline/backup.ts';
import type { RepositoryWriter } from '../../src/repository/api.ts';
import { openWriter } from '../../src/repository/index.ts';
import { connectSite } from '../../src/site/connect.ts';
import { vaultConfigSchema } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';

const jobSchema = z.object({
  kubeconfig: z.string(),
  site: z.string(),
  vaults: z.record(z.string(), vaultConfigSchema),
  keyFile: z.string(),
  /** Wait to be told again when the backup has begun. */
  hold: z.boolean().default(false),
});
/** What the backup is made of. */
export type BackupJob = z.input<typeof jobSchema>;

const job = jobSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const told = createInterface(process.stdin)[Symbol.asyncIterator]();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const vaults = await Promise.all(Object.entries(job.vaults).map(([name, vault]) => openVault({ ...vault, name })));
const writer = await openWriter({ vaults, writeKey: parseWriteKey(readFileSync(job.keyFile, 'utf8')) });
const connection = await connectSite({ name: job.site, kubeconfig: job.kubeconfig });

/** The same writer; it says where a backup is. */
const telling: RepositoryWriter = {
  id: writer.id,
  async begin(site, options) {
    const session = await writer.begin(site, options);
    say('begun');
    if (job.hold) await told.next();
    return {
      records: () => session.records(),
      stream: (...args) => session.stream(...args),
      image: (...args) => session.image(...args),
      commit: (point) => {
        say('commit');
        return session.commit(point);
      },
      suspend: () => session.suspend(),
      abort: () => session.abort(),
    };
  },
  close: () => writer.close(),
};

// Who is killed keeps nothing at its end: what was compiled is kept for the next ones now.
flushCompileCache();
say('ready');
await told.next();
say('started');
const { point } = await backup({ connection, writer: telling, site: job.site });
say(`point ${point.header.id} ${point.vaults.join(',')}`);
process.stdin.destroy();
await connection.close();
await Promise.all(vaults.map((vault) => vault.close()));
