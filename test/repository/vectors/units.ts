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
import { packKey } from '../../../src/repository/layout.ts';
import { encodePackTable } from '../../../src/repository/pack-table.ts';
import { encodePointTombstone } from '../../../src/repository/removal/tombstone.ts';
import { encodeTombstone } from '../../../src/repository/slot-objects.ts';
import { encodeLease } from '../../../src/repository/sweep/lease-object.ts';
import { encodeDone, encodeMark, encodeSeen } from '../../../src/repository/sweep/mark.ts';
import { Coverage } from '../../../src/repository/verify/coverage.ts';
import { encodeReport } from '../../../src/repository/verify/coverage-report.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

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

/**
 * What keeps vaults in order, signed with keys of made-up bytes; texts, but for the report, which is in hex. docs/format.md says
 * what is in each.
 */
export function computeKeeping(): Record<string, string> {
  const at = Date.parse('2026-03-14T02:15:00.000Z');
  const [site, id] = ['harbour', '20260307T021500Z-00000abc'];
  const objects = [packKey(hex(made('pack', 32))), `index/20260307T021500Z-${hex(made('index object', 32))}`];
  const { mark, bytes } = encodeMark(at, objects, keys);
  const removed = { site, id, sha256: hex(made('point', 32)), removedAt: new Date(at).toISOString(), reason: 'retention', previous: [{ id: '20260306T021500Z-00000def', sha256: hex(made('previous', 32)) }] };
  const coverage = new Coverage();
  coverage.add(packKey(hex(made('pack', 32))), at / 1000);
  coverage.add(packKey(hex(made('other pack', 32))), at / 1000 - 86_400);
  const times = { startedAt: new Date(at).toISOString(), at: new Date(at + 60_000).toISOString(), full: new Date(at - 86_400_000).toISOString() };
  const report = encodeReport({ vault: 'far', ...times, read: { objects: 1, bytes: 4096 }, findings: 0, includes: [], coverage }, new MemoryVault('far'), keys);
  return {
    pointTombstone: text(encodePointTombstone(removed, keys)),
    slotTombstone: text(encodeTombstone({ slot: hex(made('slot', 32)), removedAt: new Date(at).toISOString() }, keys)),
    mark: text(bytes),
    markName: mark.name,
    markSeen: text(encodeSeen(mark.name, at + 1000, keys)),
    markDone: text(encodeDone(mark.name, at + 172_801_000, keys)),
    lease: text(encodeLease({ generation: 7, holder: hex(made('holder', 8)), takenAt: at, expiresAt: at + 1_800_000 }, keys)),
    report: hex(report.bytes),
    reportName: report.id,
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

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
