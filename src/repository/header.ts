import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { Secret, WriteKey } from '../keys/index.ts';
import { FORMAT_VERSION, SHA256_HEX } from './layout.ts';
import { checkShape, checkSignature, encodeSignedJson, parseSignedJson } from './signed-json.ts';

const FORMAT = 'lifeboat-repository';
const PURPOSE = 'lifeboat/1/repository';

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.int(),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.iso.datetime(),
  sealingPublicKey: z.base64(),
  signingPublicKey: z.base64(),
  rescue: z.array(z.object({ key: z.string(), size: z.int().min(0), sha256: z.string().regex(SHA256_HEX) })),
});

/** `lifeboat.json`: what a vault is. Signed; the same bytes in every vault. */
export interface RepositoryHeader {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly sealingPublicKey: Uint8Array;
  readonly signingPublicKey: Uint8Array;
  /** The files under `rescue/` that were put there when the repository was made. */
  readonly rescue: readonly { readonly key: string; readonly size: number; readonly sha256: string }[];
}

export function encodeHeader(header: RepositoryHeader, signingKey: Secret): Buffer {
  const document = {
    format: FORMAT,
    version: FORMAT_VERSION,
    id: header.id,
    createdAt: header.createdAt,
    sealingPublicKey: Buffer.from(header.sealingPublicKey).toString('base64'),
    signingPublicKey: Buffer.from(header.signingPublicKey).toString('base64'),
    rescue: header.rescue,
  };
  return encodeSignedJson(document, PURPOSE, signingKey);
}

/**
 * Reads `lifeboat.json`. Its signature is checked against the key it names itself: that finds damage, not forgery;
 * `checkHeader` compares it with a key from elsewhere. Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`, `LB_REPO_FORGED`.
 */
export function decodeHeader(bytes: Uint8Array): RepositoryHeader {
  const signed = parseSignedJson(bytes, FORMAT);
  if (signed.length !== bytes.length) throw new LifeboatError('LB_REPO_DAMAGED', 'lifeboat.json has bytes after its end');
  const document = checkShape(signed, headerSchema, FORMAT);
  const signingPublicKey = Buffer.from(document.signingPublicKey, 'base64');
  checkSignature(signed, PURPOSE, signingPublicKey);
  const { id, createdAt, rescue } = document;
  return { id, createdAt, rescue, signingPublicKey, sealingPublicKey: Buffer.from(document.sealingPublicKey, 'base64') };
}

/**
 * Throws `LB_KEY_WRONG` when the header is of another repository than the key, and `LB_REPO_FORGED` when it claims to be
 * of this one but names other public keys.
 */
export function checkHeader(header: RepositoryHeader, key: Pick<WriteKey, 'repositoryId' | 'sealingPublicKey' | 'signingPublicKey'>): void {
  if (header.id !== key.repositoryId) {
    throw new LifeboatError('LB_KEY_WRONG', `The key belongs to repository ${key.repositoryId}, and this is repository ${header.id}`, {
      hint: 'Check that the vault and the key belong together.',
    });
  }
  const same =
    Buffer.from(header.sealingPublicKey).equals(key.sealingPublicKey) &&
    Buffer.from(header.signingPublicKey).equals(key.signingPublicKey);
  if (!same) throw new LifeboatError('LB_REPO_FORGED', 'lifeboat.json names other public keys than the repository has');
}
