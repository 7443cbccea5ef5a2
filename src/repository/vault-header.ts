import type { ErrorCode } from '../core/error-codes.ts';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { checkHeader, decodeHeader } from './header.ts';
import type { RepositoryHeader } from './header.ts';
import { HEADER_KEY } from './layout.ts';
import { HEADER_LOST_HINT, holdsRemains } from './lost-header.ts';
import { currentOf, genuineView } from './originals.ts';
import { at, readIfThere, whereIs } from './vault-io.ts';

interface FoundHeader {
  readonly header: RepositoryHeader;
  readonly bytes: Uint8Array;
}

/**
 * A vault's `lifeboat.json`, as read and as bytes; `undefined` when there is none. Where the vault keeps first versions it is the first,
 * whatever was put over it, unless only what was put over it is whole. Throws `LB_REPO_*`, and what `accept` throws.
 */
export async function readHeader(
  vault: Vault,
  signal?: AbortSignal,
  accept?: (header: RepositoryHeader) => void,
): Promise<FoundHeader | undefined> {
  const view = genuineView(vault);
  try {
    return await readFrom(view, signal, accept);
  } catch (error) {
    const current = currentOf(view);
    if (current === undefined || !isLifeboatError(error) || !UNUSABLE.has(error.code)) throw error;
    const over = await readFrom(current, signal, accept).catch(() => undefined);
    signal?.throwIfAborted();
    if (over === undefined) throw error;
    return over;
  }
}

/** What says that a header is none, or not the right one. */
const UNUSABLE: ReadonlySet<ErrorCode> = new Set(['LB_REPO_DAMAGED', 'LB_REPO_FORGED', 'LB_KEY_WRONG']);

async function readFrom(vault: Vault, signal?: AbortSignal, accept?: (header: RepositoryHeader) => void): Promise<FoundHeader | undefined> {
  const bytes = await readIfThere(vault, HEADER_KEY, signal);
  if (bytes === undefined) return undefined;
  return at(whereIs(vault, HEADER_KEY), () => {
    const header = decodeHeader(bytes);
    accept?.(header);
    return { header, bytes };
  });
}

/** A vault's header, which must be there and be of the repository that `key` belongs to. Throws `LB_REPO_*`, `LB_KEY_WRONG`. */
export async function requireHeader(
  vault: Vault,
  key: PublicKeys | undefined,
  signal?: AbortSignal,
): Promise<RepositoryHeader> {
  const found = await readHeader(vault, signal, (header) => key && checkHeader(header, key));
  if (found === undefined) {
    throw new LifeboatError('LB_REPO_MISSING', `Vault "${vault.name}" holds no lifeboat repository`, {
      where: vault.location,
      hint: (await holdsRemains(vault, signal)) ? HEADER_LOST_HINT : 'Run `lifeboat init`, or check the location of the vault.',
    });
  }
  return found.header;
}
