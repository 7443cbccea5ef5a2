import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Vault } from '../vault/vault.ts';
import { pointKey } from './layout.ts';
import { genuineView } from './originals.ts';
import { decodePoint } from './point.ts';
import type { Point } from './point.ts';
import type { PointName } from './vault-contents.ts';
import { readObject, whereIs } from './vault-io.ts';

/** How many of the newest points of a site are looked at: more than backups of one site ever run at once. */
const WINDOW = 8;

/** What reading a point takes. */
export interface HeadsContext {
  readonly repositoryId: string;
  readonly signingPublicKey: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/**
 * The points of each site that no other point follows yet: one as a rule, more after backups that ran at the same time.
 * A point that no vault has intact is left out with a warning. Throws `LB_REPO_NEWER_FORMAT` when a newer lifeboat wrote one.
 */
export async function findHeads(
  points: ReadonlyMap<Vault, readonly PointName[]>,
  context: HeadsContext,
): Promise<ReadonlyMap<string, readonly Point[]>> {
  const sites = new Map<string, Map<string, Vault[]>>();
  for (const [vault, names] of points) {
    for (const { site, id } of names) {
      const ids = sites.get(site) ?? new Map<string, Vault[]>();
      ids.set(id, [...(ids.get(id) ?? []), vault]);
      sites.set(site, ids);
    }
  }
  const heads = new Map<string, readonly Point[]>();
  for (const [site, ids] of sites) {
    const newest = [...ids.keys()].sort().slice(-WINDOW);
    const read = await Promise.all(newest.map((id) => readFromAny(ids.get(id) ?? [], { site, id }, context)));
    const found = read.filter((point) => point !== undefined);
    const followed = new Set(found.flatMap((point) => point.header.previous.map((previous) => previous.id)));
    heads.set(
      site,
      found.filter((point) => !followed.has(point.header.id)),
    );
  }
  return heads;
}

async function readFromAny(
  vaults: readonly Vault[],
  name: PointName,
  context: HeadsContext,
): Promise<Point | undefined> {
  const key = pointKey(name.site, name.id);
  for (const vault of vaults) {
    try {
      const bytes = await readObject(genuineView(vault), key, { signal: context.signal });
      return decodePoint(bytes, { ...name, repositoryId: context.repositoryId }, context.signingPublicKey);
    } catch (error) {
      context.signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      context.onWarning?.({ kind: 'point-unreadable', message: messageOf(error), where: whereIs(vault, key) });
    }
  }
  return undefined;
}
