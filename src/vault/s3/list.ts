import type { ObjectInfo } from '../vault.ts';

/** One page of a folder's listing: keys and folders (ending in `/`) that start with the wanted prefix. */
export interface FolderPage {
  readonly files: readonly ObjectInfo[];
  readonly folders: readonly string[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: string | undefined;
}

/**
 * Reads one page of what is directly below a prefix. `startAfter` is a hint that saves pages; `next` is that of the page
 * before.
 */
export type ReadFolderPage = (
  prefix: string,
  from: { readonly startAfter?: string; readonly next?: string },
) => Promise<FolderPage>;

/** First pages of folders that are asked for while an earlier folder is being read. */
const AHEAD = 8;

/**
 * Lists whole keys in ascending order of their bytes, after `startAfter`, from a server that is asked folder by folder.
 *
 * A plain listing would do for a server that has the order of Amazon S3. SeaweedFS sorts the names within each folder,
 * so that `a/b` comes before `a-b`, and understands "start after" in that order too, which loses keys without a sign.
 * Asked for one folder at a time, servers of both kinds can be understood: see `PendingEntries`.
 * Memory: one page per level, and the pages that are read ahead.
 */
export async function* listInOrder(
  readPage: ReadFolderPage,
  prefix: string,
  startAfter: string,
): AsyncGenerator<ObjectInfo, void, undefined> {
  yield* walk({ readPage, startAfter }, prefix, firstPage({ readPage, startAfter }, prefix));
}

interface Walk {
  readonly readPage: ReadFolderPage;
  readonly startAfter: string;
}

type Entry = ObjectInfo | string;

async function* walk(
  { readPage, startAfter }: Walk,
  prefix: string,
  first: Promise<FolderPage>,
): AsyncGenerator<ObjectInfo, void, undefined> {
  const pending = new PendingEntries();
  let page = await first;
  for (;;) {
    pending.add(page, (entry) => isAfter(entry, startAfter));
    const ready = page.next === undefined ? pending.takeAll() : pending.takeReady();
    yield* inOrder({ readPage, startAfter }, ready);
    if (page.next === undefined) return;
    page = await readPage(prefix, { next: page.next });
  }
}

async function* inOrder(how: Walk, entries: readonly Entry[]): AsyncGenerator<ObjectInfo, void, undefined> {
  const folders = entries.filter((entry) => typeof entry === 'string');
  const pages = new Map<string, Promise<FolderPage>>();
  let asked = 0;
  let reached = 0;
  for (const entry of entries) {
    if (typeof entry !== 'string') {
      yield entry;
      continue;
    }
    reached += 1;
    for (; asked < Math.min(folders.length, reached + AHEAD); asked += 1) {
      const folder = folders[asked] ?? entry;
      const page = firstPage(how, folder);
      // Whoever leaves early never looks at it.
      page.catch(() => {});
      pages.set(folder, page);
    }
    const page = pages.get(entry) ?? firstPage(how, entry);
    pages.delete(entry);
    yield* walk(how, entry, page);
  }
}

function firstPage({ readPage, startAfter }: Walk, prefix: string): Promise<FolderPage> {
  const hint = startHint(prefix, startAfter);
  return readPage(prefix, hint === undefined ? {} : { startAfter: hint });
}

/**
 * A key before which nothing below `prefix` can be wanted, in either order. A folder `a/` comes after `a-b` in the
 * order of bytes but before it in the order of names, so the hint ends short of the first place where that matters.
 */
function startHint(prefix: string, startAfter: string): string | undefined {
  if (!startAfter.startsWith(prefix)) return undefined;
  const rest = startAfter.slice(prefix.length);
  const cut = rest.search(/[-./]/);
  const hint = rest.slice(0, cut === -1 ? rest.length : cut).slice(0, -1);
  return hint === '' ? undefined : prefix + hint;
}

function isAfter(entry: Entry, startAfter: string): boolean {
  const key = keyOf(entry);
  return key > startAfter || (typeof entry === 'string' && startAfter.startsWith(key));
}

function keyOf(entry: Entry): string {
  return typeof entry === 'string' ? entry : entry.key;
}

/**
 * Puts the entries of one folder into the order of whole keys, page by page. Servers give them in one of two orders:
 * by key, where a folder counts as `name/`, or by name. In both, whatever is still to come is greater than the
 * greatest name so far: by name because that is the order, by key because no name is greater than its key. So
 * entries up to that name can be handed out, and only folders are held back, such as `a/` until `a0` has been seen.
 */
class PendingEntries {
  #entries: Entry[] = [];
  #greatestName = '';

  add(page: FolderPage, wanted: (entry: Entry) => boolean): void {
    for (const entry of [...page.files, ...page.folders]) {
      const key = keyOf(entry);
      const name = typeof entry === 'string' ? key.slice(0, -1) : key;
      if (name > this.#greatestName) this.#greatestName = name;
      if (wanted(entry)) this.#entries.push(entry);
    }
  }

  takeReady(): readonly Entry[] {
    const ready = this.takeAll();
    const held = ready.findIndex((entry) => keyOf(entry) > this.#greatestName);
    if (held === -1) return ready;
    this.#entries = ready.slice(held);
    return ready.slice(0, held);
  }

  takeAll(): readonly Entry[] {
    const all = this.#entries.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    this.#entries = [];
    return all;
  }
}
