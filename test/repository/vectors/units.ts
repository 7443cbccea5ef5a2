import { createHash } from 'node:crypto';
import { formatWriteKey, Secret } from '../../../src/keys/index.ts';
import type { WriteKey } from '../../../src/keys/index.ts';
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
const writeKey: WriteKey = {
  repositoryId: made('repository', 16).toString('hex'),
  sealingPublicKey: made('sealing public', 1216),
  signingKey,
  signingPublicKey: signingPublicKey(signingKey),
  dedupKey: new Secret(made('dedup', 32)),
  indexKey: new Secret(made('index', 32)),
};

/** A write key of made-up bytes, and its text. */
export const WRITE_KEY = { key: writeKey, text: formatWriteKey(writeKey) };

/** What fixed inputs give. docs/format.md says what each input is. */
export function computeUnits(): Record<string, unknown> {
  const repositoryId = made('repository', 16);
  const data = made('chunker', 1_000_000);
  const cuts: number[] = [];
  for (let at = 0; at < data.length;) cuts.push((at = cutAfter(data, at)));
  const keys = packKeys(made('content key', 32), repositoryId);
  const block = blockContext(7, repositoryId, keys.commitment);
  const table = blockContext('table', repositoryId, keys.commitment);
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
    commitment: hex(keys.commitment),
    blockNonce: hex(block.nonce),
    blockSealed: hex(seal(keys.key, block.nonce, block.aad, Buffer.from('the contents of block 7'))),
    tableSealed: hex(seal(keys.key, table.nonce, table.aad, Buffer.from('a block table'))),
    packFooter: hex(encodePackFooter(0x01020304)),
    packTable: hex(
      encodePackTable([{ id: hex(made('pack', 32)), size: 0x01020304, commitment: hex(keys.commitment) }]),
    ),
    extents: hex(encodeExtents({ extents, digest: made('digest', 32), nested: false })),
    signature: hex(signFor('lifeboat/1/point', Buffer.from('{"a":1}'), signingKey)),
  };
}
