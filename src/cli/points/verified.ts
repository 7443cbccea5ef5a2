import { formatDuration } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import { lastVerified } from '../../repository/index.ts';
import type { VerifiedTimes } from '../../repository/index.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { formatAge, formatBytes, plural } from '../text.ts';

/** When a vault was last verified, for people and scripts. */
export interface VaultVerified {
  readonly vault: string;
  /** When its data were last read: ISO 8601, UTC. Absent: never. */
  readonly last?: string;
  /** All that points needed then was read since. Absent: there is no such time. */
  readonly full?: string;
  /** What that last verification did in it. */
  readonly lastRun?: NonNullable<VerifiedTimes['lastRun']>;
  /** Why it cannot be said. */
  readonly problem?: string;
}

/** Asks every vault when it was last verified. A vault that cannot say it is told of in `problem`. */
export async function verifiedTimes(vaults: readonly Vault[], { signal }: Context): Promise<VaultVerified[]> {
  return Promise.all(
    vaults.map(async (vault) => {
      try {
        const { last, full, lastRun } = await lastVerified(vault, undefined, { signal });
        return { vault: vault.name, ...(last !== undefined && { last }), ...(full !== undefined && { full }), ...(lastRun !== undefined && { lastRun }) };
      } catch (error) {
        signal.throwIfAborted();
        return { vault: vault.name, problem: messageOf(error) };
      }
    }),
  );
}

export function verifiedText({ vault, last, full, lastRun, problem }: VaultVerified, now: number): string {
  const ago = (time: string): string => `${formatAge(now - Date.parse(time))} ago`;
  const how =
    problem !== undefined ? `cannot be told: ${problem}`
    : last === undefined ? 'never'
    : full === undefined ? `in part, ${ago(last)}${runText(lastRun)}; never in full`
    : `in full ${ago(full)}, last ${ago(last)}${runText(lastRun)}`;
  return `vault ${vault} verified: ${how}`;
}

/** How much the last verification read in the vault, how long it took, and whether it found anything: ` (1.2 GB in 15 s)`. */
export function runText(run: VerifiedTimes['lastRun']): string {
  if (run === undefined) return '';
  return ` (${formatBytes(run.bytes)} in ${formatDuration(run.seconds * 1000)}${run.findings > 0 ? `, ${plural(run.findings, 'finding')}` : ''})`;
}
