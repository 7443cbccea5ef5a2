// Makes the frozen vectors in `key-services/`: slots as each key service locks them, and what the service gave back. Run once.
// usage: node test/repository/vectors/make-key-services.ts NEW_FOLDER
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatKmsKey, formatMaintainKey, formatReadKey, formatWriteKey, generateRepositoryKeys, requireKmsKey, sealSlot, slotId } from '../../../src/keys/index.ts';
import type { KmsProvider, SlotRole } from '../../../src/keys/index.ts';

const [folder = 'key-services'] = process.argv.slice(2);

const SLOTS = [
  ['aws-kms', 'arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab', '-', 'owner'],
  ['vault-transit', 'https://bao.example.net:8200/backup/transit/lifeboat', 'v3', 'read'],
  ['gcp-kms', 'projects/acme-backup/locations/europe-west3/keyRings/lifeboat/cryptoKeys/slots', '7', 'maintain'],
  ['azure-key-vault', 'https://acme-backup.vault.azure.net/keys/lifeboat', '0123456789abcdef0123456789abcdef', 'owner'],
] as const;

const keys = await generateRepositoryKeys();
const slots: { slot: string; key: string; version: string; role: SlotRole; wrapped: string; unwrapped: string }[] = [];
await mkdir(folder, { recursive: true });
for (const [kind, name, version, role] of SLOTS) {
  const key = requireKmsKey(kind, name);
  const bytes = randomBytes(96);
  let unwrapped = new Uint8Array();
  const provider: KmsProvider = {
    key,
    wrap: (plaintext) => {
      unwrapped = Uint8Array.from(plaintext);
      return Promise.resolve({ version, bytes });
    },
    unwrap: () => Promise.resolve(unwrapped),
  };
  const sealed = await sealSlot(keys, { kind: 'kms', provider }, role);
  await writeFile(join(folder, slotId(sealed)), sealed);
  slots.push({ slot: slotId(sealed), key: formatKmsKey(key), version, role, wrapped: bytes.toString('hex'), unwrapped: Buffer.from(unwrapped).toString('hex') });
}
const expected = { repository: keys.repositoryId, writeKey: formatWriteKey(keys), readKey: formatReadKey(keys), maintainKey: formatMaintainKey(keys), slots };
await writeFile(join(folder, 'expected.json'), `${JSON.stringify(expected, undefined, 2)}\n`);
