import { isLifeboatError, messageOf } from '../core/errors.ts';
import { withDeadline } from '../vault/deadline.ts';
import type { Vault } from '../vault/vault.ts';
import type { Surroundings } from './surroundings.ts';

/** How long a vault may take for its first answer when there are others, ms: a cloud that is lost may not even refuse. */
const PATIENCE = 15_000;

/**
 * The vaults that answer, for reading: one is enough, and each request to one that is gone would be tried again and again, which
 * makes minutes of a restore. Those left out are warned of. With one vault alone, and when none answers, all are given
 * back, and whoever reads them says what is wrong.
 */
export async function answering(surroundings: Pick<Surroundings, 'signal' | 'warn'>, vaults: readonly Vault[]): Promise<readonly Vault[]> {
  if (vaults.length < 2) return vaults;
  const { HEADER_KEY } = await import('../repository/layout.ts');
  const problems = await Promise.all(
    vaults.map((vault) =>
      withDeadline(PATIENCE, surroundings.signal, async ({ signal, passed }): Promise<string | undefined> => {
        try {
          await vault.head(HEADER_KEY, { signal });
          return undefined;
        } catch (error) {
          surroundings.signal.throwIfAborted();
          if (passed()) return `no answer for ${PATIENCE / 1000} s`;
          // What it refuses it refuses at once, and those who ask it know best what that means.
          return isLifeboatError(error, 'LB_VAULT_UNAVAILABLE') ? messageOf(error) : undefined;
        }
      }),
    ),
  );
  if (problems.every((problem) => problem !== undefined)) return vaults;
  return vaults.filter((vault, index) => {
    const problem = problems[index];
    if (problem !== undefined) surroundings.warn({ kind: 'vault-unavailable', message: `going on without vault "${vault.name}": ${problem}`, where: `vault "${vault.name}"` });
    return problem === undefined;
  });
}
