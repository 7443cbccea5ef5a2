// Makes one backup after the other into the folders given, until it is killed. Prints a line for each point.
// usage: node backup.child.ts WRITE_KEY_FILE FIRST_GENERATION VAULT_FOLDER...
import { readFileSync } from 'node:fs';
import { parseWriteKey } from '../../src/keys/index.ts';
import { openWriter } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { generationRecords } from './killed.ts';

const [keyFile = '', first = '0', ...folders] = process.argv.slice(2);
const vaults = await Promise.all(folders.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path })));
const writer = await openWriter({ vaults, writeKey: parseWriteKey(readFileSync(keyFile, 'utf8')) });
process.stdout.write('ready\n');
for (let generation = Number(first); ; generation++) {
  const session = await writer.begin('prod');
  const streams = await Promise.all(
    [0, 1, 2].map(async (part) => {
      const stream = session.records();
      for (const record of generationRecords(generation, part)) await stream.write(record);
      return [`part-${part}`, { ...(await stream.end()) }] as const;
    }),
  );
  const at = new Date().toISOString();
  const point = await session.commit({
    at,
    complete: true,
    manifest: { generation, streams: Object.fromEntries(streams) },
  });
  process.stdout.write(`${point.header.id}\n`);
}
