// Makes one backup after the other into the folders given, until it is killed. The third is slow. Prints a line for each
// point: its id and the vaults that have it. With AHEAD in the environment its clock is so many ms ahead.
// usage: node backup.child.ts WRITE_KEY_FILE FIRST_GENERATION VAULT_FOLDER...
import { readFileSync } from 'node:fs';
import { parseWriteKey } from '../../src/keys/index.ts';
import { openWriter } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { withPace } from '../support/paced-vault.ts';
import { generationRecords } from './killed.ts';
import { clockAhead } from './scene.ts';

/** Bytes a second: a tenth of what one backup stores, so that this vault is behind the others however long a busy disk keeps one of them. */
const SLOW = 10_000;

const [keyFile = '', first = '0', ...folders] = process.argv.slice(2);
const vaults = await Promise.all(
  folders.map(async (path, i) => {
    const vault = await openDirectoryVault({ name: `vault-${i}`, path });
    return i < 2 ? vault : withPace(vault, SLOW);
  }),
);
const clock = clockAhead(Number(process.env['AHEAD'] ?? 0));
const writer = await openWriter({ vaults, clock, copies: 2, patience: 50, writeKey: parseWriteKey(readFileSync(keyFile, 'utf8')) });
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
  process.stdout.write(`${point.header.id} ${point.vaults.join()}\n`);
}
