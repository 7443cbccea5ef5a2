import type { OpenIndex } from './index-object.ts';
import { Lru } from './lru.ts';
import type { PointContext, PointPlace, PointSections } from './point.ts';

/** Bytes of everything that is kept. */
const MOST = 48 * 1024 * 1024;
/** Larger ones are read again: there are few of them. */
const LARGEST = 256 * 1024;

type Beginning = PointContext | PointSections;
type SeenIndex = { readonly bytes: number; readonly index: OpenIndex };

/**
 * Points and index objects that were read and were genuine, for a process that makes many backups: nothing that is stored ever changes, so none of
 * it is read, opened and checked again. Give each process one of its own. What is handed out is the caller's to release.
 */
export class SeenObjects {
  readonly #points = new Lru<Beginning>(MOST / 2);
  readonly #indexes = new Lru<SeenIndex>(MOST / 2);

  point(place: PointPlace): Beginning | undefined {
    const seen = this.#points.get(pointName(place));
    return seen === undefined ? undefined : copyOf(seen);
  }

  keepPoint(place: PointPlace, point: Beginning): void {
    const size = 1024 + point.indexes.length * 96 + ('packTable' in point ? point.packTable.length : 0);
    if (size <= LARGEST) this.#points.set(pointName(place), copyOf(point), size);
  }

  index(repositoryId: string, id: string): SeenIndex | undefined {
    const seen = this.#indexes.get(`${repositoryId} ${id}`);
    return seen === undefined ? undefined : { ...seen, index: { ...seen.index, contents: Uint8Array.from(seen.index.contents) } };
  }

  keepIndex(repositoryId: string, id: string, { bytes, index }: SeenIndex): void {
    const { contents, refsAt, idsAt, blocksAt, blocks } = index;
    const size = contents.length + 4 * (refsAt.length + idsAt.length + blocksAt.length + blocks.length);
    if (size <= LARGEST) this.#indexes.set(`${repositoryId} ${id}`, { bytes, index: { ...index, contents: Uint8Array.from(contents) } }, size);
  }
}

function pointName({ repositoryId, site, id }: PointPlace): string {
  return `${repositoryId} ${site} ${id}`;
}

function copyOf(point: Beginning): Beginning {
  return 'packTable' in point ? { ...point, packTable: Uint8Array.from(point.packTable) } : point;
}
