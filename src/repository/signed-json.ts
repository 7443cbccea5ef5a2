import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { Purpose, Secret } from '../keys/index.ts';
import { SIGNATURE_BYTES, signFor, verifyFor } from '../keys/signing.ts';
import { toHex } from './bytes.ts';
import { FORMAT_VERSION } from './layout.ts';

/**
 * Signed JSON: a line with the document, then a line `{"signature":"<128 lower-case hex digits>"}`.
 * What is signed are the bytes of the first line, so nothing depends on how JSON is written. docs/format.md, "Signed JSON".
 */
export interface SignedKind<T extends z.ZodType> {
  /** The document's `format`. */
  readonly format: string;
  /** Keeps signatures of different kinds of documents apart. */
  readonly purpose: Purpose;
  readonly schema: T;
}

const NEWLINE = 0x0a;
const OPENING = '{"signature":"';
const SIGNATURE_LINE = OPENING.length + 2 * SIGNATURE_BYTES + '"}\n'.length;
const SIGNATURE_PATTERN = new RegExp(`^\\{"signature":"([0-9a-f]{${2 * SIGNATURE_BYTES}})"\\}\n$`);

/** Both lines; `format` and `version` are put before the other members. */
export function encodeSignedJson(kind: SignedKind<z.ZodType>, document: object, signingKey: Secret): Buffer {
  const line = Buffer.from(JSON.stringify({ format: kind.format, version: FORMAT_VERSION, ...document }));
  const signature = signFor(kind.purpose, line, signingKey);
  return Buffer.concat([line, Buffer.from(`\n${OPENING}${toHex(signature)}"}\n`)]);
}

/**
 * Reads signed JSON from the beginning of `bytes`; `length` is where it ends. The signature is checked before anything
 * the document says is believed, its version included: so damage is never taken for a newer format.
 * `signingPublicKey` may be a function of the unchecked document, for the one that names its own key.
 * Throws `LB_REPO_FORGED`, `LB_REPO_NEWER_FORMAT`, and `LB_REPO_DAMAGED` when the bytes are something else.
 */
export function decodeSignedJson<T extends z.ZodType>(
  kind: SignedKind<T>,
  bytes: Uint8Array,
  signingPublicKey: Uint8Array | ((document: unknown) => Uint8Array),
): { readonly document: z.output<T>; readonly length: number } {
  const { format, purpose, schema } = kind;
  const end = bytes.indexOf(NEWLINE);
  const length = end + 1 + SIGNATURE_LINE;
  if (end < 0 || length > bytes.length) throw damaged(format, 'ends too early');
  const line = bytes.subarray(0, end);
  const document = parse(line, format);
  const signature = SIGNATURE_PATTERN.exec(Buffer.from(bytes.subarray(end + 1, length)).toString('latin1'))?.[1];
  if (signature === undefined) throw damaged(format, 'has a malformed signature line');
  const key = typeof signingPublicKey === 'function' ? signingPublicKey(document) : signingPublicKey;
  if (!verifyFor(purpose, line, Buffer.from(signature, 'hex'), key)) {
    throw new LifeboatError(
      'LB_REPO_FORGED',
      'The signature does not match: this was edited, damaged, or made by someone else',
    );
  }
  checkVersion(document, format);
  const parsed = schema.safeParse(document);
  if (!parsed.success) throw damaged(format, `has unexpected contents: ${z.prettifyError(parsed.error)}`);
  return { document: parsed.data, length };
}

/** As `decodeSignedJson`, for an object that is nothing else. */
export function decodeWholeSignedJson<T extends z.ZodType>(
  kind: SignedKind<T>,
  bytes: Uint8Array,
  signingPublicKey: Uint8Array | ((document: unknown) => Uint8Array),
): z.output<T> {
  const { document, length } = decodeSignedJson(kind, bytes, signingPublicKey);
  if (length !== bytes.length) throw damaged(kind.format, 'has bytes after its end');
  return document;
}

function parse(line: Uint8Array, format: string): unknown {
  try {
    const document: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
    return document;
  } catch (error) {
    throw damaged(format, `is not JSON: ${messageOf(error)}`);
  }
}

const kindSchema = z.object({ format: z.string(), version: z.int().min(1) });

function checkVersion(document: unknown, format: string): void {
  const kind = kindSchema.safeParse(document);
  if (!kind.success || kind.data.format !== format) throw damaged(format, 'is something else');
  if (kind.data.version <= FORMAT_VERSION) return;
  const message = `The ${format} has format version ${kind.data.version}; this lifeboat reads up to ${FORMAT_VERSION}`;
  throw new LifeboatError('LB_REPO_NEWER_FORMAT', message, { hint: 'Use a newer lifeboat.' });
}

function damaged(format: string, how: string): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', `The ${format} ${how}`);
}
