import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { Secret } from '../keys/index.ts';
import { SIGNATURE_BYTES, signFor, verifyFor } from '../keys/signing.ts';
import { toHex } from './bytes.ts';
import { FORMAT_VERSION } from './layout.ts';

/**
 * Signed JSON: a line with the document, then a line `{"signature":"<128 lower-case hex digits>"}`.
 * What is signed are the bytes of the first line, so nothing depends on how JSON is written. docs/format.md, "Signed JSON".
 */
export interface SignedJson {
  /** The parsed first line, of the expected kind and a version that can be read, otherwise unchecked. */
  readonly document: unknown;
  /** The bytes that are signed. */
  readonly line: Uint8Array;
  readonly signature: Uint8Array;
  /** Bytes of both lines: where what follows begins. */
  readonly length: number;
}

const NEWLINE = 0x0a;
const OPENING = '{"signature":"';
const SIGNATURE_LINE = OPENING.length + 2 * SIGNATURE_BYTES + '"}\n'.length;

/** Both lines. `purpose` keeps signatures of different kinds of documents apart. */
export function encodeSignedJson(document: object, purpose: string, signingKey: Secret): Buffer {
  const line = Buffer.from(JSON.stringify(document));
  const signature = signFor(purpose, line, signingKey);
  return Buffer.concat([line, Buffer.from(`\n${OPENING}${toHex(signature)}"}\n`)]);
}

/**
 * Splits and parses; checks no signature. Throws `LB_REPO_DAMAGED` when the bytes are not signed JSON of this kind
 * (`format`), `LB_REPO_NEWER_FORMAT` when their version is newer than this code knows.
 */
export function parseSignedJson(bytes: Uint8Array, format: string): SignedJson {
  const end = bytes.indexOf(NEWLINE);
  const length = end + 1 + SIGNATURE_LINE;
  if (end < 0 || length > bytes.length) throw damaged(format, 'ends too early');
  const line = bytes.subarray(0, end);
  const document = parseVersioned(line, format);
  const signature = new RegExp(`^\\{"signature":"([0-9a-f]{${2 * SIGNATURE_BYTES}})"\\}\n$`).exec(
    Buffer.from(bytes.subarray(end + 1, length)).toString('latin1'),
  )?.[1];
  if (signature === undefined) throw damaged(format, 'has a malformed signature line');
  return { document, line, signature: Buffer.from(signature, 'hex'), length };
}

/** Throws `LB_REPO_FORGED` unless the holder of the signing key signed these bytes for this purpose. */
export function checkSignature(signed: SignedJson, purpose: string, signingPublicKey: Uint8Array): void {
  if (verifyFor(purpose, signed.line, signed.signature, signingPublicKey)) return;
  throw new LifeboatError('LB_REPO_FORGED', 'The signature does not match: this was edited, damaged, or made by someone else');
}

/** The document as `schema` describes it. Throws `LB_REPO_DAMAGED`. */
export function checkShape<T extends z.ZodType>(signed: SignedJson, schema: T, format: string): z.output<T> {
  const parsed = schema.safeParse(signed.document);
  if (parsed.success) return parsed.data;
  throw damaged(format, `has unexpected contents: ${z.prettifyError(parsed.error)}`);
}

function parseVersioned(line: Uint8Array, format: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (error) {
    throw damaged(format, `is not JSON: ${messageOf(error)}`);
  }
  const kind = z.object({ format: z.literal(format), version: z.int().min(1) }).safeParse(document);
  if (!kind.success) throw damaged(format, 'is something else');
  if (kind.data.version > FORMAT_VERSION) {
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The ${format} has format version ${kind.data.version}; this lifeboat reads up to ${FORMAT_VERSION}`, {
      hint: 'Use a newer lifeboat.',
    });
  }
  return document;
}

function damaged(format: string, how: string): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', `The ${format} ${how}`);
}
