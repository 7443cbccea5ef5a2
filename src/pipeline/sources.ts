import type { OnProgress, OnWarning } from '../core/progress.ts';
import type { OpenPoint } from '../repository/api.ts';
import type { SiteConnection } from '../site/connect.ts';
import { cutSite } from '../site/cut.ts';
import type { ResourceType, Selection, StateSource } from '../site/types.ts';
import { readManifest, streamKey } from './manifest.ts';
import { RecordBlocks } from './record-blocks.ts';

/**
 * The state a recovery point holds. Objects are read from the vaults each time they are asked for.
 * Throws as `readManifest` does; `objects` throws `LB_REPO_DAMAGED` when no vault has a type's bytes intact.
 */
export function pointSource(point: OpenPoint, options: { readonly onWarning?: OnWarning } = {}): StateSource {
  const { id } = point.header;
  const { summary, streams } = readManifest(point.manifest, `point ${id}`);
  return {
    label: `point ${id}`,
    summary,
    async *objects(type, { signal } = {}) {
      const stream = streams[streamKey(type)];
      if (stream !== undefined) yield* point.records(stream, { signal, ...options });
    },
  };
}

export interface LiveSourceOptions {
  /** Default: everything. */
  readonly selection?: Selection;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
  readonly onWarning?: OnWarning;
}

/**
 * The state of a live site at one moment: cut now, and kept compressed in memory (about a fifth of its bytes), so that
 * it can be read any number of times. Throws what `cutSite` throws.
 */
export async function liveSource(connection: SiteConnection, options: LiveSourceOptions = {}): Promise<StateSource> {
  const kept = new Map<string, RecordBlocks>();
  const summary = await cutSite(connection, {
    ...options,
    sink: {
      type(type) {
        const blocks = new RecordBlocks();
        kept.delete(streamKey(type));
        return {
          object: (raw) => blocks.add(raw),
          end: async () => {
            await blocks.end();
            kept.set(streamKey(type), blocks);
          },
        };
      },
      restart: () => kept.clear(),
    },
  });
  return {
    label: `site ${connection.name}`,
    summary,
    async *objects(type: ResourceType, { signal } = {}) {
      const blocks = kept.get(streamKey(type));
      if (blocks !== undefined) yield* blocks.records(signal);
    },
  };
}
