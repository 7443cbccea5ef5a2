import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { AuditKey, AuditPublicKey } from '../../keys/audit-key.ts';
import { sha256Hex } from '../../repository/bytes.ts';
import { compactTime, SHA256_HEX } from '../../repository/layout.ts';
import { decodeSignedJson, encodeSignedJson } from '../../repository/signed-json.ts';
import { auditRecordSchema, recordHash } from './record.ts';
import type { AuditRecord } from './record.ts';

export const AUDIT_PREFIX = 'audit/';

/** `<time>-<sha256>`: when the batch was made, and the SHA-256 of the object. */
const BATCH_ID = /^\d{8}T\d{6}Z-[0-9a-f]{64}$/;
const SERVER_ID = /^[0-9a-f]{16}$/;

const count = z.int().min(0);
const headSchema = z.object({
  server: z.string().regex(SERVER_ID),
  /** Whoever writes has a chain of its own, from its start to its end: two servers with one key have two. */
  chain: z.string().regex(/^[0-9a-f]{16}$/),
  /** The place of this object in its chain, from 0. */
  batch: count,
  at: z.iso.datetime(),
  /** The objects that this one follows: the one before it in its chain; for the first, the newest ones of other chains. */
  previous: z.array(z.string().regex(SHA256_HEX)),
  /** `seq` of the first record, and how many there are. */
  first: count,
  count: z.int().min(1),
  records: z.object({ bytes: count, sha256: z.string().regex(SHA256_HEX) }),
});
const KIND = { format: 'lifeboat-audit', purpose: 'lifeboat/1/audit' as const, schema: headSchema };

/** What an object of the audit trail says of itself. */
export type BatchHead = z.output<typeof headSchema>;

/** An object of the audit trail. */
export interface Batch {
  readonly head: BatchHead;
  readonly records: readonly AuditRecord[];
  /** What the next record calls each of them. */
  readonly hashes: readonly string[];
}

/** A batch as it is stored, and its name. Records are in order and follow each other. */
export function encodeBatch(
  about: Pick<BatchHead, 'chain' | 'batch' | 'at' | 'previous' | 'first'>,
  lines: readonly string[],
  key: AuditKey,
): { readonly key: string; readonly sha256: string; readonly bytes: Buffer } {
  const section = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const head: BatchHead = { server: key.server, ...about, count: lines.length, records: { bytes: section.length, sha256: sha256Hex(section) } };
  const bytes = Buffer.concat([encodeSignedJson(KIND, head, key.signingKey), section]);
  const sha256 = sha256Hex(bytes);
  return { key: batchKey(key.server, `${compactTime(Date.parse(about.at))}-${sha256}`), sha256, bytes };
}

/** Reads an object of the audit trail. Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT` unless the server with this key wrote it, under this name. */
export function decodeBatch(id: string, bytes: Uint8Array, access: AuditPublicKey): Batch {
  if (sha256Hex(bytes) !== id.slice(-64)) throw new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object');
  const { document: head, length } = decodeSignedJson(KIND, bytes, access.publicKey);
  const section = bytes.subarray(length);
  if (section.length !== head.records.bytes || sha256Hex(section) !== head.records.sha256) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'The records are damaged');
  }
  if (head.server !== access.server || compactTime(Date.parse(head.at)) !== id.slice(0, 16)) {
    throw new LifeboatError('LB_REPO_FORGED', 'The object is under another name than the one it was written under');
  }
  const lines = Buffer.from(section).toString('utf8').split('\n');
  lines.pop();
  return { head, records: lines.map(parseRecord), hashes: lines.map(recordHash) };
}

function parseRecord(line: string): AuditRecord {
  try {
    return auditRecordSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'A record is not what it should be', { cause: error });
  }
}

export function batchKey(server: string, id: string): string {
  return `${AUDIT_PREFIX}${server}/${id}`;
}

/** The server and id in a key; undefined when it is none of the audit trail. */
export function partsOfKey(key: string): { readonly server: string; readonly id: string } | undefined {
  const [prefix, server = '', id = '', ...rest] = key.split('/');
  return `${prefix ?? ''}/` === AUDIT_PREFIX && rest.length === 0 && SERVER_ID.test(server) && BATCH_ID.test(id) ? { server, id } : undefined;
}
