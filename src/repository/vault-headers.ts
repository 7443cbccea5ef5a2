import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { checkHeader, sameRepository } from './header.ts';
import type { RepositoryHeader } from './header.ts';
import { readHeader } from './vault-header.ts';

/** A vault's name and its header. */
interface VaultHeader {
  readonly vault: string;
  readonly header: RepositoryHeader;
}

/**
 * What the headers of all vaults say, where they have one. One that cannot be read is warned of.
 * Throws `LB_REPO_FORGED` when they are of different repositories, and `LB_REPO_NEWER_FORMAT`.
 */
export class VaultHeaders {
  readonly #found: readonly VaultHeader[];

  private constructor(found: readonly VaultHeader[]) {
    this.#found = found;
  }

  static async read(
    vaults: readonly Vault[],
    options: { readonly signal?: AbortSignal; readonly onWarning?: OnWarning },
  ): Promise<VaultHeaders> {
    const results = await Promise.allSettled(vaults.map((vault) => readHeader(vault, options.signal)));
    options.signal?.throwIfAborted();
    const found: VaultHeader[] = [];
    for (const [i, result] of results.entries()) {
      const vault = vaults[i]?.name ?? '';
      if (result.status === 'fulfilled') {
        if (result.value !== undefined) found.push({ vault, header: result.value.header });
        continue;
      }
      if (isLifeboatError(result.reason, 'LB_REPO_NEWER_FORMAT')) throw result.reason;
      options.onWarning?.({ kind: 'header-unreadable', message: messageOf(result.reason), where: `vault "${vault}"` });
    }
    refuseDifferent(found);
    return new VaultHeaders(found);
  }

  /** Whether no vault has a header that can be read. */
  get none(): boolean {
    return this.#found.length === 0;
  }

  /** Whether this may be the repository: a header says so, or there is none to say. */
  mayBe(repositoryId: string): boolean {
    return this.none || this.#found.some(({ header }) => header.repositoryId === repositoryId);
  }

  /**
   * Throws `LB_KEY_WRONG` or `LB_REPO_FORGED` when vaults have headers and none of them agrees with the keys: a slot may
   * be of another repository.
   */
  check(keys: PublicKeys): void {
    const failures: unknown[] = [];
    for (const { header } of this.#found) {
      try {
        checkHeader(header, keys);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Anybody can make a repository that a known age identity opens. What unlocks must not be left to whichever vault
 * comes first when they disagree about whose repository it is.
 */
export function refuseDifferent(headers: readonly VaultHeader[]): void {
  const [first] = headers;
  const other = headers.find(({ header }) => first !== undefined && !sameRepository(header, first.header));
  if (first === undefined || other === undefined) return;
  const names = [first, other].map(({ vault, header }) => `"${vault}" ${header.repositoryId}`);
  throw new LifeboatError('LB_REPO_FORGED', `The vaults hold different repositories: ${names.join(', ')}`, {
    where: `vault "${other.vault}"`,
    hint: 'The write key names the repository that is yours. Use only the vaults that hold it.',
  });
}
