import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Vault } from '../vault/vault.ts';
import { pointKey } from './layout.ts';
import { genuineView } from './originals.ts';
import { HEAD_BYTES } from './point-finder.ts';
import { decodePointHead, decodeSections } from './point.ts';
import type { PointContext, PointPlace, PointSections } from './point.ts';
import type { SeenObjects } from './seen-objects.ts';
import type { PointName } from './vault-contents.ts';
import { readObject, whereIs } from './vault-io.ts';

/** How many of the newest points of a site are looked at: more than backups of one site ever run at once. */
const WINDOW = 8;
/** How much of a point is read to find its signed beginning: then so many times as much, as long as that is not all of it. */
const GROW = 32;

/** What reading a point takes. */
export interface HeadsContext {
  readonly repositoryId: string;
  readonly signingPublicKey: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
  /** Points that were read before. */
  readonly seen?: SeenObjects | undefined;
}

/**
 * The points of each site that no other point follows yet: one as a rule, more after backups that ran at the same time.
 * A point that no vault has intact is left out with a warning. Throws `LB_REPO_NEWER_FORMAT` when a newer lifeboat wrote one.
 */
export async function findHeads(
  points: ReadonlyMap<Vault, readonly PointName[]>,
  context: HeadsContext,
): Promise<ReadonlyMap<string, readonly PointSections[]>> {
  const sites = new Map<string, Map<string, Vault[]>>();
  for (const [vault, names] of points) {
    for (const { site, id } of names) {
      const ids = sites.get(site) ?? new Map<string, Vault[]>();
      ids.set(id, [...(ids.get(id) ?? []), vault]);
      sites.set(site, ids);
    }
  }
  const heads = new Map<string, readonly PointSections[]>();
  for (const [site, ids] of sites) heads.set(site, await headsOf(site, ids, context));
  return heads;
}

/** Of large points that others follow only the beginning is read: their pack tables have many megabytes. */
async function headsOf(site: string, ids: ReadonlyMap<string, readonly Vault[]>, context: HeadsContext): Promise<PointSections[]> {
  const newest = [...ids.keys()].sort().slice(-WINDOW);
  const read = await Promise.all(
    newest.map((id) => beginningOf(ids.get(id) ?? [], { site, id }, context)),
  );
  let candidates = read.filter((point) => point !== undefined);
  for (;;) {
    const followed = new Set(candidates.flatMap(({ header }) => header.previous.map(({ id }) => id)));
    const found: PointSections[] = [];
    const damaged = new Set<string>();
    for (const point of candidates) {
      const { id } = point.header;
      if (followed.has(id)) continue;
      const whole = 'packTable' in point ? point : await fromAny(ids.get(id) ?? [], { site, id }, context, (vault, place) => readWhole(vault, place, context));
      if (whole === undefined) damaged.add(id);
      else found.push(whole);
    }
    if (damaged.size === 0) return found;
    // Without them, what they followed is the newest.
    candidates = candidates.filter(({ header }) => !damaged.has(header.id));
  }
}

/** As `readBeginning`, from the first vault that has it intact, unless it was read before. */
async function beginningOf(vaults: readonly Vault[], name: PointName, context: HeadsContext): Promise<PointContext | PointSections | undefined> {
  const place = { ...name, repositoryId: context.repositoryId };
  const seen = context.seen?.point(place);
  if (seen !== undefined) return seen;
  const read = await fromAny(vaults, name, context, (vault) => readBeginning(vault, place, context));
  if (read !== undefined) context.seen?.keepPoint(place, read);
  return read;
}

/** The beginning of a point; a small one is read, and checked, whole. */
async function readBeginning(vault: Vault, place: PointPlace, context: HeadsContext): Promise<PointContext | PointSections> {
  for (let length = HEAD_BYTES; ; length *= GROW) {
    const bytes = await readObject(genuineView(vault), pointKey(place.site, place.id), { length, signal: context.signal });
    if (bytes.length < length) return decodeSections(bytes, place, context.signingPublicKey);
    try {
      return decodePointHead(bytes, place, context.signingPublicKey);
    } catch (error) {
      if (!isLifeboatError(error)) throw error;
    }
  }
}

async function readWhole(vault: Vault, place: PointPlace, context: HeadsContext): Promise<PointSections> {
  const bytes = await readObject(genuineView(vault), pointKey(place.site, place.id), { signal: context.signal });
  return decodeSections(bytes, place, context.signingPublicKey);
}

async function fromAny<T>(
  vaults: readonly Vault[],
  name: PointName,
  context: HeadsContext,
  read: (vault: Vault, place: PointPlace) => Promise<T>,
): Promise<T | undefined> {
  for (const vault of vaults) {
    try {
      return await read(vault, { ...name, repositoryId: context.repositoryId });
    } catch (error) {
      context.signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      context.onWarning?.({ kind: 'point-unreadable', message: messageOf(error), where: whereIs(vault, pointKey(name.site, name.id)) });
    }
  }
  return undefined;
}
