import type { OnProgress, OnWarning, Warning } from '../core/progress.ts';
import type { BackupSession, CommittedPoint, RecordWriter, RepositoryWriter, ResumableOptions, StreamRef, WriteStats } from '../repository/api.ts';
import type { SiteConnection } from '../site/connect.ts';
import { cutSite } from '../site/cut.ts';
import type { CutSink, TypeSink } from '../site/cut.ts';
import type { CutSummary, ResourceType, Selection } from '../site/types.ts';
import { streamKey, writeManifest } from './manifest.ts';

/** How a point is made of a cut, wherever that comes from. */
export interface StoreCutOptions {
  readonly writer: RepositoryWriter;
  /** The site's name in the repository. */
  readonly site: string;
  /** Vaults that must hold the point for it to be safe. Default: as the writer was opened. */
  readonly copies?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
  readonly onWarning?: OnWarning;
}

export interface BackupOptions extends StoreCutOptions {
  readonly connection: SiteConnection;
  /** Default: everything. */
  readonly selection?: Selection;
}

/** A part of a backup. */
export interface BackupStepOptions extends BackupOptions, ResumableOptions {
  /** Fires when no more is to be read: what was stored is put away, unless the cut is whole already. */
  readonly until: AbortSignal;
}

/** What a step came to. `suspended`: what it added, and what the next step will find known. */
export type BackupStep = { readonly done: BackupResult } | { readonly suspended: WriteStats };

/** Takes a cut into a sink, which may still be on its way; is told how to be stopped and whom to tell. */
type TakeCut = (sink: Promise<CutSink>, told: Pick<StoreCutOptions, 'signal' | 'onProgress' | 'onWarning'>) => Promise<CutSummary>;

export interface BackupResult {
  readonly point: CommittedPoint;
  readonly summary: CutSummary;
}

/**
 * Backs up a site: cuts it, and writes one record for each object straight into the repository. The point is there
 * when this resolves, in every vault it names; when it throws, nothing is. A type that could not be read does not
 * stop the rest: the point is then not `complete`, and its summary says why. Nor does a vault: when too few hold the
 * point, it is kept where it is, not `safe`, and a warning says so.
 *
 * Throws what `cutSite` and the repository's session throw.
 */
export function backup(options: BackupOptions): Promise<BackupResult> {
  const { connection, selection = {} } = options;
  return storeCut((sink, told) => cutSite(connection, { sink, selection, ...told }), options);
}

/**
 * As much of a backup as there is time for. The next step cuts the site again, at a newer revision, and stores what is not stored
 * yet: so a point is always one cut, and whatever is broken off, even by a kill, is little. Throws as `backup`.
 */
export async function backupStep(options: BackupStepOptions): Promise<BackupStep> {
  try {
    return { done: await backup(options) };
  } catch (error) {
    if (error instanceof Suspended) return { suspended: error.stats };
    throw error;
  }
}

class Suspended extends Error {
  readonly stats: WriteStats;

  constructor(stats: WriteStats) {
    super('The backup was suspended');
    this.stats = stats;
  }
}

/** The same of any cut. Throws what `takeCut` and the repository's session throw. */
export async function storeCut(takeCut: TakeCut, options: StoreCutOptions & ResumableOptions & { readonly until?: AbortSignal }): Promise<BackupResult> {
  const { writer, site, signal, until, knownAfter, packBytes } = options;
  const told = {
    signal,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
  };
  const stop = new AbortController();
  const beginning = writer.begin(site, { ...told, knownAfter, packBytes, copies: options.copies, signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) });
  const streams = new Map<string, StreamRef>();
  let session: BackupSession | undefined;
  try {
    // The vaults are looked into while the site is.
    const sink = beginning.then((begun) => new StoringSink(begun, streams));
    sink.catch(() => undefined);
    const cutSignal = until === undefined ? signal : AbortSignal.any([until, ...(signal === undefined ? [] : [signal])]);
    const summary = await takeCut(sink, { ...told, signal: cutSignal });
    session = await beginning;
    (await sink).discardVoid();
    const stored = summary.types.flatMap((type) => {
      const stream = streams.get(streamKey(type));
      return stream === undefined ? [] : [[streamKey(type), stream] as const];
    });
    const point = await session.commit({
      at: summary.at,
      complete: summary.types.every((type) => type.fidelity !== 'missing'),
      manifest: writeManifest({ kind: 'cluster-state', summary, streams: Object.fromEntries(stored) }),
    });
    if (!point.safe) options.onWarning?.(notSafe(point));
    return { point, summary };
  } catch (error) {
    if (until !== undefined && error === until.reason && signal?.aborted !== true) {
      const begun = await beginning;
      throw new Suspended(await begun.suspend());
    }
    stop.abort(error);
    session ??= await beginning.catch(() => undefined);
    await session?.abort();
    throw error;
  }
}

function notSafe({ header, vaults, copies }: CommittedPoint): Warning {
  const message = `Point ${header.id} is not safe yet: ${vaults.length} of the ${copies} vaults that must hold it do (${vaults.join(', ')}); \`lifeboat replicate\` copies it to the others`;
  return { kind: 'point-not-safe', message };
}

/** Writes each type as a stream of its own; only streams that were ended are kept, and of those of one type the last. */
class StoringSink implements CutSink {
  readonly #session: BackupSession;
  readonly #streams: Map<string, StreamRef>;
  readonly #current = new Map<string, RecordWriter>();
  readonly #void: RecordWriter[] = [];

  constructor(session: BackupSession, streams: Map<string, StreamRef>) {
    this.#session = session;
    this.#streams = streams;
  }

  type(type: ResourceType): TypeSink {
    const key = streamKey(type);
    this.#forget(key);
    const records = this.#session.records();
    this.#current.set(key, records);
    return {
      object: (raw) => records.write(raw),
      end: async () => {
        this.#streams.set(key, await records.end());
      },
    };
  }

  restart(): void {
    for (const key of this.#current.keys()) this.#forget(key);
    this.discardVoid();
  }

  /** What was read in vain is left open, or counts. Nothing is under way when this is called. */
  discardVoid(): void {
    for (const key of this.#current.keys()) if (!this.#streams.has(key)) this.#forget(key);
    for (const records of this.#void.splice(0)) records.discard();
  }

  #forget(key: string): void {
    const records = this.#current.get(key);
    if (records !== undefined) this.#void.push(records);
    this.#current.delete(key);
    this.#streams.delete(key);
  }
}
