import type { PointHeader } from './api.ts';
import { pointKey } from './layout.ts';
import { currentOf } from './originals.ts';
import type { ReadContext } from './pack-store.ts';
import { readHeadFrom } from './point-finder.ts';
import type { Held, PointAccess } from './point-finder.ts';
import type { PointName } from './vault-contents.ts';
import type { Vault } from '../vault/vault.ts';

/** A point that a vault holds under an id, genuine as far as its signature tells. */
export interface Claim {
  readonly vault: Vault;
  /** It was put over the first version there. */
  readonly over: boolean;
  /** Of its signed part: claims of which it is the same are of the same point. */
  readonly digest: string;
  readonly header: PointHeader;
}

/** All that vaults hold, and hide, under the id of a point. What cannot be read, or is not genuine, is left out. */
export async function claimsOf(point: Held, access: PointAccess, context: ReadContext): Promise<readonly Claim[]> {
  const firsts = point.vaults.map((vault) => ({ vault, over: false }));
  const over = overlaid(point).map((vault) => ({ vault, over: true }));
  const read = await Promise.all([...firsts, ...over].map((where) => readClaim(point, where, access, context)));
  return read.filter((claim) => claim !== undefined);
}

/** What is current in the vaults where something was put over the point. */
export function overlaid({ vaults, shadowed }: Held): readonly Vault[] {
  return vaults.flatMap((vault) => (shadowed?.has(vault) === true ? (currentOf(vault) ?? []) : []));
}

/** What one vault holds under the id of a point; undefined when that cannot be read or is not genuine. */
export async function readClaim(
  { site, id }: PointName,
  { vault, over }: Pick<Claim, 'vault' | 'over'>,
  access: PointAccess,
  context: ReadContext,
): Promise<Claim | undefined> {
  try {
    const { head, digest } = await readHeadFrom(vault, pointKey(site, id), { repositoryId: access.repositoryId, site, id }, access, context);
    return { vault, over, digest, header: head.header };
  } catch {
    context.signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * The claims of each of the different points among them: one group as a rule. More say that somebody with the write key has lied. The
 * first group is the one to be believed: a first version in a vault that locks counts for more than what could be overwritten, and that
 * for more than what was put over something.
 */
export function differing(claims: readonly Claim[]): readonly (readonly [Claim, ...Claim[]])[] {
  const groups = new Map<string, [Claim, ...Claim[]]>();
  for (const claim of claims.toSorted((a, b) => rank(a) - rank(b))) {
    const group = groups.get(claim.digest);
    if (group === undefined) groups.set(claim.digest, [claim]);
    else group.push(claim);
  }
  return [...groups.values()];
}

function rank({ vault, over }: Claim): number {
  return over ? 2 : vault.locks ? 0 : 1;
}

/** For people: the vaults of each group, `near`, or `near (put over it)`. */
export function namesOf(groups: readonly (readonly Claim[])[]): string[][] {
  return groups.map((group) => group.map(({ vault, over }) => (over ? `${vault.name} (put over it)` : vault.name)));
}

/** What to say of a point that is disputed. */
export function disputeText(names: readonly (readonly string[])[]): string {
  return `Different points have this id: one is in ${names.map((group) => group.join(', ')).join('; another in ')}. Somebody with the write key has made one of them`;
}
