import { createHash } from 'node:crypto';
import { formatMaintainKey, formatReadKey, formatWriteKey, Secret } from '../../../src/keys/index.ts';
import type { RepositoryKeys } from '../../../src/keys/index.ts';
import { signFor, signingPublicKey } from '../../../src/keys/signing.ts';
import { seal } from '../../../src/repository/aead.ts';
import { CHUNK_ID_BYTES, createChunkNamer } from '../../../src/repository/chunk-id.ts';
import { cutAfter } from '../../../src/repository/chunker.ts';
import { encodeExtents } from '../../../src/repository/extents.ts';
import { GEAR } from '../../../src/repository/gear.ts';
import { blockContext, encodePackFooter, packKeys } from '../../../src/repository/pack-format.ts';
import { encodePackTable } from '../../../src/repository/pack-table.ts';

/** `length` bytes that anyone can make again: SHAKE256 of a label. */
export function made(label: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(label).digest();
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const signingKey = new Secret(made('signing', 32));
const reportKey = new Secret(made('report', 32));
const maintainKey = new Secret(made('maintain', 32));
/** Keys of made-up bytes. */
const keys: RepositoryKeys = {
  repositoryId: made('repository', 16).toString('hex'),
  sealingPublicKey: made('sealing public', 1216),
  sealingKey: new Secret(made('sealing', 32)),
  signingKey,
  signingPublicKey: signingPublicKey(signingKey),
  reportKey,
  reportPublicKey: signingPublicKey(reportKey),
  maintainKey,
  maintainPublicKey: signingPublicKey(maintainKey),
  dedupKey: new Secret(made('dedup', 32)),
  indexKey: new Secret(made('index', 32)),
};
/** As they were before the roles had signing keys of their own. */
const writeKey: RepositoryKeys = {
  ...keys,
  reportKey: signingKey,
  reportPublicKey: keys.signingPublicKey,
  maintainKey: signingKey,
  maintainPublicKey: keys.signingPublicKey,
};

/** A write key of made-up bytes, and its text. */
export const WRITE_KEY = { key: writeKey, text: formatWriteKey(writeKey) };

/** The keys of roles of made-up bytes, as text. */
export const ROLE_KEYS = { writeKey: formatWriteKey(keys), readKey: formatReadKey(keys), maintainKey: formatMaintainKey(keys) };

/** What fixed inputs give. docs/format.md says what each input is. */
export function computeUnits(): Record<string, unknown> {
  const repositoryId = made('repository', 16);
  const data = made('chunker', 1_000_000);
  const cuts: number[] = [];
  for (let at = 0; at < data.length;) cuts.push((at = cutAfter(data, at)));
  const packed = packKeys(made('content key', 32), repositoryId);
  const block = blockContext(7, repositoryId, packed.commitment);
  const table = blockContext('table', repositoryId, packed.commitment);
  const extents = [
    { pack: 0, block: 0, first: 0, count: 200 },
    { pack: 0, block: 1, first: 0, count: 1 },
    { pack: 0, block: 1, first: 5, count: 3 },
    { pack: 3, block: 70_000, first: 65_535, count: 1 },
    { pack: 1, block: 2, first: 1, count: 300 },
    { pack: 1, block: 2, first: 0, count: 1 },
  ];
  return {
    gearSha256: sha256(new Uint8Array(Uint32Array.from(GEAR).buffer)),
    gearFirst: [...GEAR.subarray(0, 4)],
    cuts,
    chunkId: hex(createChunkNamer(writeKey.dedupKey).name(Buffer.from('a chunk')).subarray(0, CHUNK_ID_BYTES)),
    commitment: hex(packed.commitment),
    blockNonce: hex(block.nonce),
    blockSealed: hex(seal(packed.key, block.nonce, block.aad, Buffer.from('the contents of block 7'))),
    tableSealed: hex(seal(packed.key, table.nonce, table.aad, Buffer.from('a block table'))),
    packFooter: hex(encodePackFooter(0x01020304)),
    packTable: hex(
      encodePackTable([{ id: hex(made('pack', 32)), size: 0x01020304, commitment: hex(packed.commitment) }]),
    ),
    extents: hex(encodeExtents({ extents, digest: made('digest', 32), nested: false })),
    signature: hex(signFor('lifeboat/1/point', Buffer.from('{"a":1}'), signingKey)),
  };
}
