// Stores an image without end until it is interrupted. Says `stored` for each pack, and how it ended. It ends by itself then, as
// soon as nothing is left that would keep it.
// usage: node endless.child.ts WRITE_KEY_FILE VAULT_FOLDER
import { readFileSync } from 'node:fs';
import { isLifeboatError, LifeboatError } from '../../../src/core/errors.ts';
import { parseWriteKey } from '../../../src/keys/index.ts';
import { openWriter } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import { noise } from './made.ts';

const [keyFile = '', folder = ''] = process.argv.slice(2);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new LifeboatError('LB_INTERRUPTED', 'Ctrl-C')));
const vault = await openDirectoryVault({ name: 'vault', path: folder });
const writer = await openWriter({ vaults: [vault], writeKey: parseWriteKey(readFileSync(keyFile, 'utf8')) });
const session = await writer.begin('prod', {
  signal: stop.signal,
  onProgress: ({ phase }) => {
    if (phase === 'store') process.stdout.write('stored\n');
  },
});
try {
  await session.image((into, offset) => {
    into.set(noise(into.length, offset));
    return Promise.resolve(into.length);
  }, Number.MAX_SAFE_INTEGER);
} catch (error) {
  await session.abort();
  process.stdout.write(`ended ${isLifeboatError(error) ? error.code : 'otherwise'}\n`);
}
