import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { PublicKeys, ReadKey } from '../keys/index.ts';
import { createOpener } from '../keys/sealing.ts';
import type { Vault } from '../vault/vault.ts';
import type { OpenPoint, PointListing, RepositoryReader } from './api.ts';
import { BulkReader } from './bulk/bulk-reader.ts';
import { createChunkNamer } from './chunk-id.ts';
import { claimsOf, differing, disputeText, namesOf } from './disputes.ts';
import { pointKey } from './layout.ts';
import { sameRepository } from './header.ts';
import { withOriginals } from './originals.ts';
import { PackStore } from './pack-store.ts';
import type { ReadContext } from './pack-store.ts';
import { forEachParallel } from './parallel.ts';
import { openManifest } from './point.ts';
import { examinePoints } from './point-copies.ts';
import { choosePoint, findPoints, readPoint, readPointHead } from './point-finder.ts';
import type { FoundPoint } from './point-finder.ts';
import { readRecords } from './record-reader.ts';
import { findLivePoints } from './removal/live-points.ts';
import { listRemovedPoints } from './removal/removed-points.ts';
import { requireHeader } from './vault-header.ts';

/** Points read at once for a listing. */
const PARALLEL = 16;

/** What opening a repository for reading takes. */
export interface OpenReaderOptions {
  /** The vaults of the repository, best first: what one lacks is read from the next. */
  readonly vaults: readonly Vault[];
  /** Without keys, points can be listed and not opened. */
  readonly keys?: ReadKey;
  readonly onWarning?: OnWarning;
  readonly signal?: AbortSignal;
}

/**
 * Opens a repository to list and read its points. A vault without an intact header is still read when keys are given,
 * because they say all a header says. Throws what is wrong when no vault can be used: `LB_REPO_*`, `LB_KEY_WRONG`, `LB_VAULT_*`.
 * Where a vault keeps first versions, they are what is read, whatever was put over them or hides them. Of different points under one
 * id the one to be believed is opened, with a warning.
 * The vaults stay the caller's to close.
 */
export async function openReader(options: OpenReaderOptions): Promise<RepositoryReader> {
  const { keys, signal, onWarning } = options;
  const { vaults, access } = await chooseVaults(options);
  const closed = new AbortController();
  const ended = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
  const opener = keys && (await createOpener(keys.sealingKey));
  const repositoryId = Buffer.from(access.repositoryId, 'hex');
  const store = opener && new PackStore(withOriginals(vaults), { opener, repositoryId }, ended);
  const namer = keys && createChunkNamer(keys.dedupKey);
  const setup = keys && { repositoryId, dedupKey: Uint8Array.from(keys.dedupKey.expose()) };
  const bulk =
    opener && setup && new BulkReader({ vaults, opening: { opener, repositoryId }, setup, signal: ended });
  return {
    id: access.repositoryId,

    async listPoints(filter = {}) {
      const context = { signal: filter.signal ?? signal, onWarning };
      const points = await findLivePoints(vaults, filter.site, access, context);
      if (filter.copies === true) return examinePoints(points, access, context);
      const listings: PointListing[] = [];
      await forEachParallel(points.entries(), PARALLEL, async ([i, point]) => {
        const about = { id: point.id, site: point.site, vaults: point.vaults.map((vault) => vault.name) };
        try {
          listings[i] = { ...about, header: (await readPointHead(point, access, context)).header };
        } catch (error) {
          context.signal?.throwIfAborted();
          listings[i] = { ...about, problem: messageOf(error) };
        }
      });
      return listings;
    },

    async listRemoved(filter = {}) {
      return listRemovedPoints(vaults, filter.site, access, { signal: filter.signal ?? signal, onWarning });
    },

    async open(id, session = {}): Promise<OpenPoint> {
      if (opener === undefined || store === undefined || namer === undefined || bulk === undefined) {
        throw new LifeboatError('LB_KEY_MISSING', 'Opening a recovery point needs the read key', {
          hint: 'Give a passphrase or an age identity that opens one of the key slots.',
        });
      }
      const context = { signal: session.signal ?? signal, onWarning: session.onWarning ?? onWarning };
      const found = choosePoint(await findLivePoints(vaults, session.site, access, context), id, session.site);
      const point = await readPoint(await believed(found, access, context), access, context);
      const place = { repositoryId: access.repositoryId, site: found.site, id: found.id };
      const manifest = await openManifest(point.sealedManifest, place, opener);
      return {
        header: point.header,
        manifest,
        vaults: found.vaults.map((vault) => vault.name),
        records: (stream, reading = {}) =>
          readRecords(stream, { packs: point.packs, store, namer }, { ...context, ...definedOnly(reading) }),
        read: (ref, range = {}, reading = {}) =>
          bulk.read(ref, point.packs, range, { ...context, ...definedOnly(reading) }),
        restore: (ref, target, reading = {}) =>
          bulk.restore(ref, point.packs, target, { ...context, ...definedOnly(reading) }),
      };
    },

    close() {
      closed.abort(new LifeboatError('LB_INTERNAL', 'The repository was closed while it was read'));
      return Promise.resolve();
    },
  };
}

/** The point, to be read only from where it is the one to be believed; others under its id are warned of. */
async function believed(point: FoundPoint, access: PublicKeys, context: ReadContext): Promise<FoundPoint> {
  if (point.vaults.length === 1 && (point.shadowed?.size ?? 0) === 0) return point;
  const groups = differing(await claimsOf(point, access, context));
  const [first, other] = groups;
  if (first === undefined || other === undefined) return point;
  const names = namesOf(groups);
  const message = `${disputeText(names)}. The one in ${names[0]?.join(', ') ?? ''} is opened; --vault chooses another`;
  context.onWarning?.({ kind: 'point-disputed', message, where: pointKey(point.site, point.id) });
  return { ...point, vaults: first.map(({ vault }) => vault), shadowed: new Set() };
}

function definedOnly(options: { readonly signal?: AbortSignal | undefined; readonly onWarning?: OnWarning }): {
  signal?: AbortSignal;
  onWarning?: OnWarning;
} {
  return {
    ...(options.signal && { signal: options.signal }),
    ...(options.onWarning && { onWarning: options.onWarning }),
  };
}

/** The vaults that hold this repository, and what its points are checked with. */
async function chooseVaults(
  options: OpenReaderOptions,
): Promise<{ readonly vaults: readonly Vault[]; readonly access: PublicKeys }> {
  const { vaults, keys, signal, onWarning } = options;
  const [first] = vaults;
  if (first === undefined) throw new LifeboatError('LB_USAGE', 'A repository needs at least one vault');
  const headers = await Promise.allSettled(vaults.map((vault) => requireHeader(vault, keys, signal)));
  signal?.throwIfAborted();
  const usable: Vault[] = [];
  const failures: unknown[] = [];
  let access: PublicKeys | undefined = keys;
  for (const [i, result] of headers.entries()) {
    const vault = vaults[i] as Vault;
    if (result.status === 'fulfilled') {
      access ??= result.value;
      // The keys of all roles: a header is signed with the write key, whose thief could name a maintain key of his own.
      if (!sameRepository(access, result.value)) {
        throw new LifeboatError(
          'LB_REPO_FORGED',
          `The vaults hold different repositories: ${access.repositoryId} and ${result.value.repositoryId}`,
          {
            where: `vault "${vault.name}"`,
          },
        );
      }
      usable.push(vault);
      continue;
    }
    failures.push(result.reason);
    if (keys !== undefined && isLifeboatError(result.reason) && RECOVERABLE.has(result.reason.code)) usable.push(vault);
  }
  const nothing =
    failures.length === vaults.length && failures.every((error) => isLifeboatError(error, 'LB_REPO_MISSING'));
  if (access === undefined || usable.length === 0 || (nothing && !(await anyPoints(vaults, signal)))) throw failures[0];
  for (const error of failures) {
    const where = isLifeboatError(error) ? error.where : undefined;
    onWarning?.({ kind: 'header-unreadable', message: messageOf(error), ...(where !== undefined && { where }) });
  }
  return { vaults: usable, access };
}

/** Failures of a header that keys make up for: a lost or damaged header says nothing against the rest of the vault. */
const RECOVERABLE: ReadonlySet<string> = new Set(['LB_REPO_MISSING', 'LB_REPO_DAMAGED', 'LB_REPO_FORGED']);

async function anyPoints(vaults: readonly Vault[], signal?: AbortSignal): Promise<boolean> {
  const points = await findPoints(vaults, undefined, { signal });
  return points.length > 0;
}
