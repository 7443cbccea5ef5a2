import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { genuineView } from '../originals.ts';
import { requireHeader } from '../vault-header.ts';
import { timesOf } from './remember.ts';
import type { VerifiedTimes } from './remember.ts';
import { readReports } from './reports.ts';

/**
 * When a vault was last verified, by the genuine reports in it. `keys`, of any role, say who signs them; else the vault's
 * header does. Throws what the vault throws, and `LB_REPO_*` when the header is needed and cannot be used.
 */
export async function lastVerified(
  vault: Vault,
  keys: PublicKeys | undefined,
  options: { readonly clock?: Clock; readonly signal?: AbortSignal } = {},
): Promise<VerifiedTimes> {
  const { clock = systemClock, signal } = options;
  const access = keys ?? (await requireHeader(vault, undefined, signal));
  return timesOf(await readReports(genuineView(vault), access, clock.now(), { signal }));
}
