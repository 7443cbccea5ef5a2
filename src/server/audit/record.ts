import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Who asked. Nothing of a credential that was not accepted is kept. */
const whoSchema = z.strictObject({
  /** `nobody`: no credential was accepted. */
  kind: z.enum(['token', 'certificate', 'nobody']),
  /** `sub` of the token, or the common name of the certificate. */
  subject: z.string().exactOptional(),
  issuer: z.string().exactOptional(),
  /** SHA-256 of the certificate, in hex. */
  fingerprint: z.string().exactOptional(),
  role: z.enum(['viewer', 'operator', 'admin']).exactOptional(),
});

/** `begun`: it was permitted, and is about to be done; a record with `of` says what came of it. `answered`: a look at something. */
const OUTCOMES = ['begun', 'done', 'failed', 'refused', 'answered'] as const;

const entrySchema = z.strictObject({
  who: whoSchema,
  /** The address that the request came from. */
  from: z.string(),
  what: z.strictObject({
    method: z.string(),
    /** The route, not the path: what it was about is in `ids`, and only when it was understood. */
    route: z.string(),
    ids: z.record(z.string(), z.string()),
  }),
  outcome: z.enum(OUTCOMES),
  /** What it was answered with: an HTTP status. */
  status: z.int().exactOptional(),
  /** Why not: a code of docs/errors.md. */
  code: z.string().exactOptional(),
  /** SHA-256 of the body of the request, in hex. */
  digest: z.string().exactOptional(),
  /** Of the record that says that it begun: its `seq`. */
  of: z.int().min(0).exactOptional(),
  /** Refusals before this one that have no record, because there were too many of them. */
  unrecorded: z.int().min(1).exactOptional(),
});

/** One record of the audit trail, as it is stored: docs/format.md, "Audit trail". */
export const auditRecordSchema = entrySchema.extend({
  /** The place in its chain, from 0. */
  seq: z.int().min(0),
  /** SHA-256 of the line of the record before it, in hex; zeros for the first. */
  previous: z.string(),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});

/** What is put on record. */
export type AuditEntry = z.output<typeof entrySchema>;
export type AuditRecord = z.output<typeof auditRecordSchema>;

/** `previous` of the first record of a chain. */
export const NO_RECORD = '0'.repeat(64);

/** A record as its line, without the line's end. */
export function encodeRecord(record: AuditRecord): string {
  const { seq, previous, at, ...entry } = record;
  return JSON.stringify({ seq, previous, at, ...entry });
}

/** What the next record calls this one. */
export function recordHash(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}
