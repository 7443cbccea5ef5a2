import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import { hasSeparateRoles } from '../keys/index.ts';
import type { PublicKeys, Secret } from '../keys/index.ts';
import { SIGNING_KEY_BYTES } from '../keys/signing.ts';
import { SHA256_HEX } from './layout.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';

const schema = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  createdAt: z.iso.datetime(),
  sealingPublicKey: z.base64(),
  signingPublicKey: z.base64(),
  // Absent where one key signs for every role.
  reportPublicKey: z.base64().optional(),
  maintainPublicKey: z.base64().optional(),
  rescue: z.array(z.object({ key: z.string(), size: z.int().min(0), sha256: z.string().regex(SHA256_HEX) })),
});
const KIND = { format: 'lifeboat-repository', purpose: 'lifeboat/1/repository' as const, schema };

/** `lifeboat.json`: what a vault is. Signed; the same bytes in every vault. */
export interface RepositoryHeader extends PublicKeys {
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** The files under `rescue/` that were put there when the repository was made. */
  readonly rescue: readonly { readonly key: string; readonly size: number; readonly sha256: string }[];
}

export function encodeHeader(header: RepositoryHeader, signingKey: Secret): Buffer {
  const document = {
    id: header.repositoryId,
    createdAt: header.createdAt,
    sealingPublicKey: base64(header.sealingPublicKey),
    signingPublicKey: base64(header.signingPublicKey),
    ...(hasSeparateRoles(header) && {
      reportPublicKey: base64(header.reportPublicKey),
      maintainPublicKey: base64(header.maintainPublicKey),
    }),
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
  const { id, createdAt, rescue, sealingPublicKey, signingPublicKey } = document;
  const { reportPublicKey = signingPublicKey, maintainPublicKey = signingPublicKey } = document;
  return {
    repositoryId: id,
    createdAt,
    rescue,
    sealingPublicKey: Buffer.from(sealingPublicKey, 'base64'),
    signingPublicKey: Buffer.from(signingPublicKey, 'base64'),
    reportPublicKey: Buffer.from(reportPublicKey, 'base64'),
    maintainPublicKey: Buffer.from(maintainPublicKey, 'base64'),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
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
  header: PublicKeys,
  key: PublicKeys,
): void {
  if (header.repositoryId !== key.repositoryId) {
    throw new LifeboatError(
      'LB_KEY_WRONG',
      `The key belongs to repository ${key.repositoryId}, and this is repository ${header.repositoryId}`,
      {
        hint: 'Check that the vault and the key belong together.',
      },
    );
  }
  if (!sameRepository(header, key)) throw new LifeboatError('LB_REPO_FORGED', 'lifeboat.json names other public keys than the repository has');
}

/** Whether both name the same repository and the same public keys. */
export function sameRepository(a: PublicKeys, b: PublicKeys): boolean {
  const same = (name: 'sealingPublicKey' | 'signingPublicKey' | 'reportPublicKey' | 'maintainPublicKey'): boolean =>
    Buffer.from(a[name]).equals(b[name]);
  return (
    a.repositoryId === b.repositoryId &&
    same('sealingPublicKey') &&
    same('signingPublicKey') &&
    same('reportPublicKey') &&
    same('maintainPublicKey')
  );
}
