import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { OnProgress, OnWarning } from '../core/progress.ts';
import type { SiteConnection } from './connect.ts';
import { readEverything } from './cut-attempt.ts';
import { discover } from './discover.ts';
import { StartAgain } from './read-type.ts';
import type { CutSink, Tally } from './read-type.ts';
import { identifySite, takeMoment } from './revision.ts';
import { compileSelection } from './selection.ts';
import type { CutSummary, ResourceType, Selection } from './types.ts';
import { typeName } from './types.ts';

export type { CutSink, TypeSink } from './read-type.ts';

export interface CutOptions {
  /** May still be on its way: what can be done without it is done meanwhile. */
  readonly sink: CutSink | Promise<CutSink>;
  /** Default: everything. */
  readonly selection?: Selection;
  /** Types read at once. Default 8. */
  readonly concurrency?: number;
  /** Objects asked for at once. Default 500, as kubectl. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly onWarning?: OnWarning | undefined;
  readonly clock?: Clock;
}

/** A revision lasts five minutes at least (`--etcd-compaction-interval`); a site where five in a row do not suffice needs another way. */
const MOST_ATTEMPTS = 5;
/** Progress is told once for so many objects. */
const PROGRESS_STEP = 128;

/**
 * Reads the selected state of a site as it was at one moment: every type at the same etcd revision, types in parallel,
 * objects as the raw bytes the API server sent. What could not be read so is in the summary, with the reason.
 *
 * Throws `LB_CUT_EXPIRED` when no revision lasted long enough, `LB_SITE_ACCESS` when nothing at all may be read,
 * `LB_SITE_UNREACHABLE` when the site stays away, `LB_USAGE` for a malformed selection, and what the sink throws.
 */
export async function cutSite(connection: SiteConnection, options: CutOptions): Promise<CutSummary> {
  const { selection = {}, concurrency = 8, pageSize = 500, signal, onWarning, clock = systemClock } = options;
  const compiled = compileSelection(selection);
  const [sink, identity, discovered] = await Promise.all([options.sink, identifySite(connection, signal), discover(connection, { signal })]);
  let reason = '';
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const discovery = attempt === 1 ? discovered : await discover(connection, { signal });
    options.onProgress?.({ phase: 'discover', done: discovery.types.length, total: discovery.types.length, unit: 'types' });
    const moment = await takeMoment(connection, discovery, compiled, { signal, clock });
    try {
      const { types, skipped } = await readEverything(
        { connection, moment, selection: compiled, sink, pageSize, signal, tally: new ProgressTally(options.onProgress) },
        { discovery, concurrency, last: attempt === MOST_ATTEMPTS },
      );
      const summary: CutSummary = { revision: moment.revision, at: moment.at, ...identity, selection, types, skipped };
      warn(summary, compiled.unmatched(discovery.types), onWarning);
      return summary;
    } catch (error) {
      if (!(error instanceof StartAgain)) throw error;
      reason = messageOf(error);
      sink.restart();
      onWarning?.({ kind: 'cut-restarted', message: `The cut starts again at a newer revision: ${reason}`, where: `site "${connection.name}"` });
    }
  }
  throw new LifeboatError('LB_CUT_EXPIRED', `The site could not be read at one revision in ${MOST_ATTEMPTS} attempts: ${reason}`, {
    where: `site "${connection.name}"`,
    hint: 'Select less at a time, back up from a place nearer to the API server, or raise its --etcd-compaction-interval.',
  });
}

function warn(summary: CutSummary, unmatched: readonly string[], onWarning: OnWarning | undefined): void {
  for (const pattern of unmatched) {
    onWarning?.({ kind: 'selection-matches-nothing', message: `The site serves nothing that "${pattern}" selects`, where: 'types' });
  }
  for (const type of summary.types) {
    if (type.fidelity === 'exact') continue;
    const what = type.fidelity === 'missing' ? 'was not read' : `was not read at revision ${summary.revision}`;
    const kind = type.fidelity === 'missing' ? 'type-not-cut' : 'type-inconsistent';
    onWarning?.({ kind, message: `${typeName(type)} ${what}: ${type.reason}`, where: typeName(type) });
  }
}

class ProgressTally implements Tally {
  readonly #onProgress: OnProgress | undefined;
  #objects = 0;
  #bytes = 0;
  readonly #sizes = new Map<string, number>();
  #planned = Infinity;
  #told = 0;

  constructor(onProgress: OnProgress | undefined) {
    this.#onProgress = onProgress;
  }

  took(objects: number, bytes: number): void {
    this.#objects += objects;
    this.#bytes += bytes;
    if (Math.abs(this.#objects - this.#told) >= PROGRESS_STEP) this.#tell();
  }

  planned(types: number): void {
    this.#planned = types;
  }

  sized(type: ResourceType, objects: number): void {
    this.#sizes.set(typeName(type), objects);
    this.#tell();
  }

  #tell(): void {
    this.#told = this.#objects;
    // How many there are is known once every type has answered its first page.
    const known = this.#sizes.size >= this.#planned;
    const total = known ? { total: [...this.#sizes.values()].reduce((sum, size) => sum + size, 0) } : {};
    this.#onProgress?.({ phase: 'cut', done: this.#objects, unit: 'objects', bytes: this.#bytes, ...total });
  }
}
