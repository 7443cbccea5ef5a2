import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { Secret, WriteKey } from '../keys/index.ts';
import { SIGNING_KEY_BYTES } from '../keys/signing.ts';
import { SHA256_HEX } from './layout.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';

const KIND = {
  format: 'lifeboat-repository',
  purpose: 'lifeboat/1/repository',
  schema: z.object({
    id: z.string().regex(/^[0-9a-f]{32}$/),
    createdAt: z.iso.datetime(),
    sealingPublicKey: z.base64(),
    signingPublicKey: z.base64(),
    rescue: z.array(z.object({ key: z.string(), size: z.int().min(0), sha256: z.string().regex(SHA256_HEX) })),
  }),
};

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
    id: header.id,
    createdAt: header.createdAt,
    sealingPublicKey: Buffer.from(header.sealingPublicKey).toString('base64'),
    signingPublicKey: Buffer.from(header.signingPublicKey).toString('base64'),
    rescue: header.rescue,
  };
  return encodeSignedJson(KIND, document, signingKey);
}

/**
 * Reads `lifeboat.json`. Its signature is checked against the key it names itself: that finds damage, not forgery;
 * `checkHeader` compares it with a key from elsewhere. Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`, `LB_REPO_FORGED`.
 */
export function decodeHeader(bytes: Uint8Array): RepositoryHeader {
  const document = decodeWholeSignedJson(KIND, bytes, ownKey);
  const { id, createdAt, rescue } = document;
  return {
    id,
    createdAt,
    rescue,
    sealingPublicKey: Buffer.from(document.sealingPublicKey, 'base64'),
    signingPublicKey: Buffer.from(document.signingPublicKey, 'base64'),
  };
}

/** The key a header names, in this and every later version of it. */
function ownKey(document: unknown): Uint8Array {
  const named = z.object({ signingPublicKey: z.base64() }).safeParse(document);
  const key = Buffer.from(named.data?.signingPublicKey ?? '', 'base64');
  if (key.length !== SIGNING_KEY_BYTES)
    throw new LifeboatError('LB_REPO_DAMAGED', 'The lifeboat-repository names no signing key');
  return key;
}

/**
 * Throws `LB_KEY_WRONG` when the header is of another repository than the key, and `LB_REPO_FORGED` when it claims to be
 * of this one but names other public keys.
 */
export function checkHeader(
  header: RepositoryHeader,
  key: Pick<WriteKey, 'repositoryId' | 'sealingPublicKey' | 'signingPublicKey'>,
): void {
  if (header.id !== key.repositoryId) {
    throw new LifeboatError(
      'LB_KEY_WRONG',
      `The key belongs to repository ${key.repositoryId}, and this is repository ${header.id}`,
      {
        hint: 'Check that the vault and the key belong together.',
      },
    );
  }
  const same =
    Buffer.from(header.sealingPublicKey).equals(key.sealingPublicKey) &&
    Buffer.from(header.signingPublicKey).equals(key.signingPublicKey);
  if (!same) throw new LifeboatError('LB_REPO_FORGED', 'lifeboat.json names other public keys than the repository has');
}
