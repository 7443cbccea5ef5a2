// Stores a stream, of which a part is the same in every process, and an image, as one point. Says `begun` when it knows what
// the vault has, and goes on when told to; then says `point`, the point's id and the bytes that were new.
// usage: node writer.child.ts WRITE_KEY_FILE VAULT_FOLDER SEED
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseWriteKey } from '../../../src/keys/index.ts';
import { openWriter } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import { imageOf, inParts } from './made.ts';
import { imageFor, streamFor } from './two-writers.ts';

const [keyFile = '', folder = '', seed = ''] = process.argv.slice(2);
const told = createInterface(process.stdin)[Symbol.asyncIterator]();
const vault = await openDirectoryVault({ name: 'shared', path: folder });
const writer = await openWriter({ vaults: [vault], writeKey: parseWriteKey(readFileSync(keyFile, 'utf8')) });
const session = await writer.begin('prod');
process.stdout.write('begun\n');
await told.next();
const [bytes, image] = [streamFor(seed), imageFor(seed)];
const [stream, volume] = await Promise.all([session.stream(inParts(bytes, [1_000_000, 7_000_000])), session.image(imageOf(image), image.length)]);
const { header } = await session.commit({
  at: new Date().toISOString(),
  complete: true,
  manifest: { volumes: { stream: { ...stream }, image: { ...volume } } },
});
process.stdout.write(`point ${header.id} ${header.stats.newPlaintextBytes}\n`);
process.exit();
