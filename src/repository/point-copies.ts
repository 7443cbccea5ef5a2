import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Vault } from '../vault/vault.ts';
import type { PointCopy, PointHeader, PointListing } from './api.ts';
import { sha256Hex } from './bytes.ts';
import { pointKey } from './layout.ts';
import { PackSet } from './pack-set.ts';
import type { ReadContext } from './pack-store.ts';
import { packsIn } from './pack-table.ts';
import { forEachParallel } from './parallel.ts';
import { decodePointHead, decodeSections } from './point.ts';
import type { PointHead, PointPlace } from './point.ts';
import { HEAD_BYTES } from './point-finder.ts';
import type { FoundPoint, PointAccess } from './point-finder.ts';
import { readObject } from './vault-io.ts';

/** Points looked at once, each in all its vaults. */
const PARALLEL = 8;

/**
 * How each vault's copy of each point is: the beginning of every copy is read, and its pack table from one; of packs it is
 * only looked whether they are there, by one listing of each vault. A vault whose packs cannot be listed is left
 * out, with a warning.
 */
export async function examinePoints(
  points: readonly FoundPoint[],
  vaults: readonly Vault[],
  access: PointAccess,
  context: ReadContext,
): Promise<readonly PointListing[]> {
  const packs = await listPacks(vaults, context);
  const listings: PointListing[] = [];
  await forEachParallel(points.entries(), PARALLEL, async ([i, point]) => {
    listings[i] = await examine(point, packs, access, context);
  });
  return listings;
}

async function listPacks(vaults: readonly Vault[], { signal, onWarning }: ReadContext): Promise<ReadonlyMap<Vault, PackSet>> {
  const packs = new Map<Vault, PackSet>();
  const results = await Promise.allSettled(vaults.map((vault) => PackSet.list(vault, signal)));
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
  /** The pack table, or where it is. */
  readonly packTable: Uint8Array | Section;
}

interface Section {
  readonly at: number;
  readonly bytes: number;
  readonly sha256: string;
}

async function examine(point: FoundPoint, packs: ReadonlyMap<Vault, PackSet>, access: PointAccess, context: ReadContext): Promise<PointListing> {
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
  const copies = listed.map((vault): PointCopy => {
    const problem = problems.get(vault);
    if (problem !== undefined || table === undefined) return { vault: vault.name, state: 'damaged', problem: messageOf(problem) };
    const missing = missingFrom(packs.get(vault), table);
    return { vault: vault.name, ...(missing === 0 ? { state: 'complete' } : { state: 'partial', missing }) };
  });
  const { id, site } = point;
  const about = { id, site, vaults: listed.map((vault) => vault.name), copies };
  const header = intact.find(({ vault }) => !problems.has(vault))?.header;
  return header === undefined ? { ...about, problem: worst([...problems.values()]) } : { ...about, header };
}

/** The beginning of a copy; a small point is read, and checked, whole. */
async function readCopy(point: FoundPoint, vault: Vault, access: PointAccess, { signal }: ReadContext): Promise<Intact> {
  const key = pointKey(point.site, point.id);
  const place = { repositoryId: access.repositoryId, site: point.site, id: point.id };
  const size = point.sizes.get(vault) ?? 0;
  if (size <= HEAD_BYTES) {
    const { header, packTable } = decodeSections(await readObject(vault, key, { signal }), place, access.signingPublicKey);
    return { vault, header, packTable };
  }
  const { header, size: wanted, sections } = await readLongHead(vault, key, place, access, signal);
  if (wanted !== size) throw new LifeboatError('LB_REPO_DAMAGED', `The point has ${size} bytes and should have ${wanted}`);
  return { vault, header, packTable: { at: sections.at, ...sections.packTable } };
}

async function readLongHead(vault: Vault, key: string, place: PointPlace, access: PointAccess, signal: AbortSignal | undefined): Promise<PointHead> {
  try {
    return decodePointHead(await readObject(vault, key, { length: HEAD_BYTES, signal }), place, access.signingPublicKey);
  } catch (error) {
    if (!isLifeboatError(error)) throw error;
    // The signed part itself may be longer, when it names very many index objects.
    return decodePointHead(await readObject(vault, key, { signal }), place, access.signingPublicKey);
  }
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

function missingFrom(packs: PackSet | undefined, table: Uint8Array): number {
  let missing = 0;
  for (const { id, size } of packsIn(table)) if (packs?.has(id, size) !== true) missing++;
  return missing;
}

/** A forgery says more than damage elsewhere. */
function worst(problems: readonly unknown[]): string {
  return messageOf(problems.find((problem) => isLifeboatError(problem, 'LB_REPO_FORGED')) ?? problems[0]);
}
