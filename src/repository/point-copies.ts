import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Vault } from '../vault/vault.ts';
import type { PointCopy, PointHeader, PointListing } from './api.ts';
import { sha256Hex, toHex } from './bytes.ts';
import { differing, namesOf, overlaid, readClaim } from './disputes.ts';
import type { Claim } from './disputes.ts';
import { pointKey } from './layout.ts';
import { PackSet } from './pack-set.ts';
import type { ReadContext } from './pack-store.ts';
import { packsIn } from './pack-table.ts';
import { forEachParallel } from './parallel.ts';
import { decodeSections } from './point.ts';
import { HEAD_BYTES, readHeadFrom } from './point-finder.ts';
import type { FoundPoint, PointAccess } from './point-finder.ts';
import { readObject } from './vault-io.ts';

/** Points looked at once, each in all its vaults. */
const PARALLEL = 8;

/** The packs of a vault, and the ids of those that something was put over. */
interface Packs {
  readonly set: PackSet;
  readonly shadowed: ReadonlySet<string>;
}

/**
 * How each vault's copy of each point is: the beginning of every copy is read, and its pack table from one; of packs it is
 * only looked whether they are there, by one listing of each vault. A vault whose packs cannot be listed is left
 * out, with a warning. What each vault holds under the id of a point is compared.
 */
export async function examinePoints(points: readonly FoundPoint[], access: PointAccess, context: ReadContext): Promise<readonly PointListing[]> {
  const packs = await listPacks([...new Set(points.flatMap(({ vaults }) => vaults))], context);
  const listings: PointListing[] = [];
  await forEachParallel(points.entries(), PARALLEL, async ([i, point]) => {
    listings[i] = await examine(point, packs, access, context);
  });
  return listings;
}

async function listPacks(vaults: readonly Vault[], { signal, onWarning }: ReadContext): Promise<ReadonlyMap<Vault, Packs>> {
  const packs = new Map<Vault, Packs>();
  const results = await Promise.allSettled(
    vaults.map(async (vault): Promise<Packs> => {
      const shadowed = new Set<string>();
      return { shadowed, set: await PackSet.list(vault, signal, (id) => shadowed.add(id)) };
    }),
  );
  signal?.throwIfAborted();
  for (const [i, vault] of vaults.entries()) {
    const result = results[i];
    if (result?.status === 'fulfilled') packs.set(vault, result.value);
    else onWarning?.({ kind: 'vault-unavailable', message: messageOf(result?.reason), where: `vault "${vault.name}"` });
  }
  return packs;
}

/** A copy of a point that is intact as far as it was read. */
interface Intact {
  readonly vault: Vault;
  readonly header: PointHeader;
  /** Of its signed part. */
  readonly digest: string;
  /** The pack table, or where it is. */
  readonly packTable: Uint8Array | Section;
}

interface Section {
  readonly at: number;
  readonly bytes: number;
  readonly sha256: string;
}

async function examine(point: FoundPoint, packs: ReadonlyMap<Vault, Packs>, access: PointAccess, context: ReadContext): Promise<PointListing> {
  const listed = point.vaults.filter((vault) => packs.has(vault));
  const problems = new Map<Vault, unknown>();
  const read = await Promise.all(
    listed.map(async (vault): Promise<Intact | undefined> => {
      try {
        return await readCopy(point, vault, access, context);
      } catch (error) {
        context.signal?.throwIfAborted();
        if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
        problems.set(vault, error);
        return undefined;
      }
    }),
  );
  const intact = read.filter((copy) => copy !== undefined);
  const table = await packTableOf(point, intact, problems, context);
  const locks = await Promise.all(listed.map((vault) => lockOf(point, vault, context)));
  const copies = listed.map((vault, i): PointCopy => {
    const held = packs.get(vault);
    const shadowed = (point.shadowed?.has(vault) === true ? 1 : 0) + (table === undefined || held === undefined ? 0 : shadowedOf(held, table));
    const about = { vault: vault.name, ...locks[i], ...(shadowed > 0 && { shadowed }) };
    const problem = problems.get(vault);
    if (problem !== undefined || table === undefined) return { ...about, state: 'damaged', problem: messageOf(problem) };
    const missing = missingFrom(held?.set, table);
    return { ...about, ...(missing === 0 ? { state: 'complete' } : { state: 'partial', missing }) };
  });
  const { id, site } = point;
  const over = await Promise.all(overlaid(point).map((vault) => readClaim(point, { vault, over: true }, access, context)));
  const groups = differing([...intact.map(({ vault, digest, header }): Claim => ({ vault, over: false, digest, header })), ...over.filter((claim) => claim !== undefined)]);
  const about = { id, site, vaults: listed.map((vault) => vault.name), copies, ...(groups.length > 1 && { disputed: namesOf(groups) }) };
  const header = (groups[0] ?? []).find(({ vault }) => !problems.has(vault))?.header ?? intact.find(({ vault }) => !problems.has(vault))?.header;
  return header === undefined ? { ...about, problem: worst([...problems.values()]) } : { ...about, header };
}

/** Until when a vault has the point locked. One that does not say is taken for one that does not lock. */
async function lockOf(point: FoundPoint, vault: Vault, { signal }: ReadContext): Promise<{ readonly lockedUntil?: string }> {
  if (!vault.locks) return {};
  try {
    const { retainUntil } = (await vault.head(pointKey(point.site, point.id), { signal })) ?? {};
    return retainUntil === undefined || retainUntil.getTime() <= Date.now() ? {} : { lockedUntil: retainUntil.toISOString() };
  } catch {
    signal?.throwIfAborted();
    return {};
  }
}

/** The beginning of a copy; a small point is read, and checked, whole. */
async function readCopy(point: FoundPoint, vault: Vault, access: PointAccess, { signal }: ReadContext): Promise<Intact> {
  const key = pointKey(point.site, point.id);
  const place = { repositoryId: access.repositoryId, site: point.site, id: point.id };
  const size = point.sizes.get(vault) ?? 0;
  if (size <= HEAD_BYTES) {
    const bytes = await readObject(vault, key, { signal });
    const { header, packTable, signedBytes } = decodeSections(bytes, place, access.signingPublicKey);
    return { vault, header, packTable, digest: sha256Hex(bytes.subarray(0, signedBytes)) };
  }
  const { head, digest } = await readHeadFrom(vault, key, place, access, { signal });
  const { header, size: wanted, sections } = head;
  if (wanted !== size) throw new LifeboatError('LB_REPO_DAMAGED', `The point has ${size} bytes and should have ${wanted}`);
  return { vault, header, digest, packTable: { at: sections.at, ...sections.packTable } };
}

/** The pack table from the first copy that has it intact; what is wrong with others is added to `problems`. */
async function packTableOf(
  point: FoundPoint,
  copies: readonly Intact[],
  problems: Map<Vault, unknown>,
  { signal }: ReadContext,
): Promise<Uint8Array | undefined> {
  for (const { vault, packTable } of copies) {
    if (packTable instanceof Uint8Array) return packTable;
    const { at, bytes: length, sha256 } = packTable;
    try {
      const bytes = await readObject(vault, pointKey(point.site, point.id), { offset: at, length, signal });
      if (sha256Hex(bytes) === sha256) return bytes;
      problems.set(vault, new LifeboatError('LB_REPO_DAMAGED', 'The point is damaged after its signed part'));
    } catch (error) {
      signal?.throwIfAborted();
      problems.set(vault, error);
    }
  }
  return undefined;
}

function shadowedOf({ shadowed }: Packs, table: Uint8Array): number {
  if (shadowed.size === 0) return 0;
  let count = 0;
  for (const { id } of packsIn(table)) if (shadowed.has(toHex(id))) count++;
  return count;
}

function missingFrom(packs: PackSet | undefined, table: Uint8Array): number {
  let missing = 0;
  for (const { id, size } of packsIn(table)) if (packs?.has(id, size) !== true) missing++;
  return missing;
}

/** A forgery says more than damage elsewhere. */
function worst(problems: readonly unknown[]): string {
  return messageOf(problems.find((problem) => isLifeboatError(problem, 'LB_REPO_FORGED')) ?? problems[0]);
}
