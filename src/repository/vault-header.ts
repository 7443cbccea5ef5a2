import { LifeboatError } from '../core/errors.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { checkHeader, decodeHeader } from './header.ts';
import type { RepositoryHeader } from './header.ts';
import { HEADER_KEY } from './layout.ts';
import { HEADER_LOST_HINT, holdsRemains } from './lost-header.ts';
import { at, readIfThere, whereIs } from './vault-io.ts';

/** A vault's `lifeboat.json`, as read and as bytes; `undefined` when there is none. Throws `LB_REPO_*`. */
export async function readHeader(
  vault: Vault,
  signal?: AbortSignal,
): Promise<{ readonly header: RepositoryHeader; readonly bytes: Uint8Array } | undefined> {
  const bytes = await readIfThere(vault, HEADER_KEY, signal);
  if (bytes === undefined) return undefined;
  return { bytes, header: await at(whereIs(vault, HEADER_KEY), () => decodeHeader(bytes)) };
}

/** A vault's header, which must be there and be of the repository that `key` belongs to. Throws `LB_REPO_*`, `LB_KEY_WRONG`. */
export async function requireHeader(
  vault: Vault,
  key: PublicKeys | undefined,
  signal?: AbortSignal,
): Promise<RepositoryHeader> {
  const found = await readHeader(vault, signal);
  if (found === undefined) {
    throw new LifeboatError('LB_REPO_MISSING', `Vault "${vault.name}" holds no lifeboat repository`, {
      where: vault.location,
      hint: (await holdsRemains(vault, signal)) ? HEADER_LOST_HINT : 'Run `lifeboat init`, or check the location of the vault.',
    });
  }
  const { header } = found;
  if (key !== undefined) await at(whereIs(vault, HEADER_KEY), () => checkHeader(header, key));
  return header;
}
