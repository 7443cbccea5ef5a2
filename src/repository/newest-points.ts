import { messageOf } from '../core/errors.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { PointHeader } from './api.ts';
import { pointKey } from './layout.ts';
import type { ReadContext } from './pack-store.ts';
import { forEachParallel } from './parallel.ts';
import { findPoints, readHeadFrom } from './point-finder.ts';
import type { FoundPoint } from './point-finder.ts';
import { publicKeysIn } from './public-keys-in.ts';
import { readPointTombstone } from './removal/live-points.ts';
import { whereIs } from './vault-io.ts';

/** Sites looked at once. */
const PARALLEL = 8;
/** Points of a site that are looked at for one that is genuine, newest first. */
const MOST_LOOKED_AT = 64;

/** What is asked for: the points of a site in these vaults. */
export interface WantedPoints {
  readonly site: string;
  readonly vaults: readonly string[];
  /** In how many of them a point is safe. */
  readonly copies: number;
}

/** The newest points of a site. */
export interface NewestPoints {
  /** The newest genuine one of each vault that has any. */
  readonly inVaults: ReadonlyMap<string, PointHeader>;
  /** The newest that is in as many vaults as it takes, with those. */
  readonly safe: { readonly header: PointHeader; readonly vaults: readonly string[] } | undefined;
}

/** Beginnings of points that were read and found genuine before: points never change. Keep it from call to call. */
export type KnownHeads = Map<string, { readonly header: PointHeader; readonly digest: string }>;

/**
 * The newest points of several sites, for those who ask every minute: the vaults are listed, and only points that were not seen
 * before are read. A vault has a point only after everything that the point needs; whether that is still there, `listPoints` with
 * `copies` looks, and `verify`. A vault that cannot be listed is warned of; throws its error when none can be, and `LB_REPO_*`.
 */
export async function newestPoints(vaults: readonly Vault[], wanted: readonly WantedPoints[], known: KnownHeads, context: ReadContext): Promise<readonly NewestPoints[]> {
  const access = await publicKeysIn(vaults, context);
  const sites = new Set(wanted.map(({ site }) => site));
  const bySite = Map.groupBy(await findPoints(vaults, sites.size === 1 ? wanted[0]?.site : undefined, context), ({ site }) => site);
  const look = new Look(access, known, context);
  const found: NewestPoints[] = [];
  await forEachParallel(wanted.entries(), PARALLEL, async ([i, one]) => {
    const newestFirst = (bySite.get(one.site) ?? []).toReversed();
    found[i] = { inVaults: await look.inVaults(newestFirst, one), safe: await look.safe(newestFirst, one) };
  });
  for (const key of known.keys()) if (!look.used.has(key)) known.delete(key);
  return found;
}

type Head = { readonly header: PointHeader; readonly digest: string };

class Look {
  readonly used = new Set<string>();
  readonly #access: PublicKeys;
  readonly #known: KnownHeads;
  readonly #context: ReadContext;
  readonly #removed = new Map<FoundPoint, Promise<boolean>>();

  constructor(access: PublicKeys, known: KnownHeads, context: ReadContext) {
    this.#access = access;
    this.#known = known;
    this.#context = context;
  }

  async inVaults(newestFirst: readonly FoundPoint[], { vaults }: WantedPoints): Promise<Map<string, PointHeader>> {
    const found = new Map<string, PointHeader>();
    let looked = 0;
    for (const point of newestFirst) {
      const open = point.vaults.filter(({ name }) => vaults.includes(name) && !found.has(name));
      if (open.length === 0) continue;
      if (++looked > MOST_LOOKED_AT) break;
      if (await this.#isRemoved(point)) continue;
      for (const vault of open) {
        const head = await this.#head(point, vault);
        if (head !== undefined) found.set(vault.name, head.header);
      }
    }
    return found;
  }

  async safe(newestFirst: readonly FoundPoint[], { vaults, copies }: WantedPoints): Promise<NewestPoints['safe']> {
    let looked = 0;
    for (const point of newestFirst) {
      const holders = point.vaults.filter(({ name }) => vaults.includes(name));
      if (holders.length < copies) continue;
      if (++looked > MOST_LOOKED_AT) break;
      if (await this.#isRemoved(point)) continue;
      const heads = await Promise.all(holders.map(async (vault) => ({ vault, head: await this.#head(point, vault) })));
      const genuine = heads.flatMap(({ vault, head }) => (head === undefined ? [] : [{ vault, head }]));
      const [first] = genuine;
      // Different points under one id: somebody has lied, and it is not safe to say which is the one.
      if (first === undefined || genuine.length < copies || genuine.some(({ head }) => head.digest !== first.head.digest)) continue;
      return { header: first.head.header, vaults: genuine.map(({ vault }) => vault.name) };
    }
    return undefined;
  }

  #isRemoved(point: FoundPoint): Promise<boolean> {
    const { tombstones = [] } = point;
    if (tombstones.length === 0) return Promise.resolve(false);
    let removed = this.#removed.get(point);
    if (removed === undefined) {
      removed = readPointTombstone(tombstones, point, this.#access, this.#context).then((tombstone) => tombstone !== undefined);
      this.#removed.set(point, removed);
    }
    return removed;
  }

  async #head({ site, id }: FoundPoint, vault: Vault): Promise<Head | undefined> {
    const key = pointKey(site, id);
    const name = `${vault.name}/${key}`;
    this.used.add(name);
    const before = this.#known.get(name);
    if (before !== undefined) return before;
    try {
      const { head, digest } = await readHeadFrom(vault, key, { repositoryId: this.#access.repositoryId, site, id }, this.#access, this.#context);
      const read = { header: head.header, digest };
      this.#known.set(name, read);
      return read;
    } catch (error) {
      this.#context.signal?.throwIfAborted();
      this.#context.onWarning?.({ kind: 'point-unreadable', message: messageOf(error), where: whereIs(vault, key) });
      return undefined;
    }
  }
}
