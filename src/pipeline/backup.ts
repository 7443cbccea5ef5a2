import type { OnProgress, OnWarning, Warning } from '../core/progress.ts';
import type { BackupSession, CommittedPoint, RepositoryWriter, StreamRef } from '../repository/api.ts';
import type { SiteConnection } from '../site/connect.ts';
import { cutSite } from '../site/cut.ts';
import type { CutSink } from '../site/cut.ts';
import type { CutSummary, Selection } from '../site/types.ts';
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

/** The same of any cut. Throws what `takeCut` and the repository's session throw. */
export async function storeCut(takeCut: TakeCut, options: StoreCutOptions): Promise<BackupResult> {
  const { writer, site, signal } = options;
  const told = {
    signal,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
  };
  const stop = new AbortController();
  const beginning = writer.begin(site, { ...told, copies: options.copies, signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]) });
  const streams = new Map<string, StreamRef>();
  let session: BackupSession | undefined;
  try {
    // The vaults are looked into while the site is.
    const sink = beginning.then((begun) => storeIn(begun, streams));
    sink.catch(() => undefined);
    const summary = await takeCut(sink, told);
    session = await beginning;
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

/** Writes each type as a stream of its own; only streams that were ended are kept. */
function storeIn(session: BackupSession, streams: Map<string, StreamRef>): CutSink {
  return {
    type(type) {
      streams.delete(streamKey(type));
      const records = session.records();
      return {
        object: (raw) => records.write(raw),
        end: async () => {
          streams.set(streamKey(type), await records.end());
        },
      };
    },
    restart: () => streams.clear(),
  };
}
