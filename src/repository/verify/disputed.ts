import type { PublicKeys } from '../../keys/index.ts';
import { differing, disputeText, namesOf } from '../disputes.ts';
import type { Claim } from '../disputes.ts';
import { forEachParallel } from '../parallel.ts';
import { decodePoint } from '../point.ts';
import { readObject } from '../vault-io.ts';
import type { Findings } from './findings.ts';
import type { VaultCheck } from './vault-check.ts';

/** Points read at once. */
const PARALLEL = 8;

/**
 * A finding in each vault for every id that different points have, each genuine by its signature: in different vaults, or one put over
 * another. Those that are not to be believed touch the point.
 */
export async function findDisputes(checks: readonly VaultCheck[], access: PublicKeys, findings: Findings, signal: AbortSignal | undefined): Promise<void> {
  const claims = new Map<string, Claim[]>();
  for (const check of checks) {
    for (const [key, { sha256, header }] of check.points) {
      claims.set(key, [...(claims.get(key) ?? []), { vault: check.vault, over: false, digest: sha256, header }]);
    }
  }
  for (const check of checks) {
    const over = [...check.points].filter(([key]) => check.shadowed.has(key));
    await forEachParallel(over, PARALLEL, async ([key, { header }]) => {
      const claim = await claimOver(check, key, header, access, signal);
      if (claim !== undefined) claims.get(key)?.push(claim);
    });
  }
  for (const [key, ofKey] of claims) {
    const groups = differing(ofKey);
    if (groups.length < 2) continue;
    const message = disputeText(namesOf(groups));
    for (const [i, group] of groups.entries()) {
      for (const { vault, over, header } of group) {
        findings.add({ vault: vault.name, object: key, kind: 'disputed', message, points: i === 0 || over ? [] : [header.id] });
      }
    }
  }
}

/** What is current where something was put over a point, if that is a genuine point too. */
async function claimOver(
  check: VaultCheck,
  key: string,
  { site, id }: Claim['header'],
  access: PublicKeys,
  signal: AbortSignal | undefined,
): Promise<Claim | undefined> {
  try {
    const bytes = await readObject(check.vault, key, { signal });
    const { sha256, header } = decodePoint(bytes, { repositoryId: access.repositoryId, site, id }, access.signingPublicKey);
    return { vault: check.vault, over: true, digest: sha256, header };
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
