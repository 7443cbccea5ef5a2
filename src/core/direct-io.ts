import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { copyShared } from './shared-memory.ts';

/**
 * Direct I/O (`O_DIRECT`, open(2)): large files go to and from the disk past the page cache. What a backup moves is used once, so
 * caching it costs a copy of every byte and memory for all of them, and pushes out what the machine works with. Measured on
 * a virtual machine: writing 840 MB took 0.2 s of the processor's time, and 1.1 to 2.6 s through the cache.
 */

/** Addresses, offsets and lengths must be multiples of this: enough for every disk in use. */
const PAGE = 4096;

/** Bytes moved at a time. */
const PIECE = 1024 * 1024;

/** Memory that begins on a page: V8 gives resizable arrays pages of their own, and others an address of any kind. */
function pageAligned(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }));
}

/**
 * Memory that threads share and that begins on a page: room for so many bytes wherever in its first page they begin. What lies in it as it does in the file
 * (`alongside`) is moved without a copy.
 */
export function sharedPages(bytes: number): Uint8Array<SharedArrayBuffer> {
  const whole = (Math.ceil(bytes / PAGE) + 1) * PAGE;
  // V8 gives growable memory pages of its own as well.
  return new Uint8Array(new SharedArrayBuffer(whole, { maxByteLength: whole }), 0, whole);
}

/** The part of `sharedPages` memory that lies within pages as what begins at `position` does in a file. */
export function alongside<T extends ArrayBufferLike>(pages: Uint8Array<T>, position: number): Uint8Array<T> {
  return pages.subarray(position % PAGE);
}

/** Whether memory lies within pages as what begins at `position` does in a file. */
function liesAlike({ buffer, byteOffset }: Uint8Array, position: number): boolean {
  return buffer instanceof SharedArrayBuffer && buffer.growable && byteOffset % PAGE === position % PAGE;
}

/** Pieces of memory that were used and may be again: taking new memory from the system costs more than a copy. */
const free: Uint8Array<ArrayBuffer>[] = [];
const MOST_FREE = 16;

function takePiece(): Uint8Array<ArrayBuffer> {
  return free.pop() ?? pageAligned(PIECE);
}

function givePiece(piece: Uint8Array<ArrayBuffer>): void {
  if (free.length < MOST_FREE) free.push(piece);
}

/**
 * Opens a file to be read, or creates one to be written, with direct I/O. `undefined` where platform, file system or disk have none in
 * pages of this size: a new file is not there then. `read another`: files beside it were read so, and it is not tried again. Throws what open(2) says.
 */
export async function openDirect(path: string, use: 'read' | 'read another' | { readonly create: number }): Promise<FileHandle | undefined> {
  if (process.platform !== 'linux') return undefined;
  const reading = typeof use === 'string';
  const flags = reading ? constants.O_RDONLY : constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  let file: FileHandle | undefined;
  try {
    file = await open(path, flags | constants.O_DIRECT, reading ? undefined : use.create);
    if (use === 'read another') return file;
    // Some refuse only when something is moved.
    const page = pageAligned(PAGE);
    await (reading ? file.read(page, 0, PAGE, 0) : file.write(page, 0, PAGE, 0));
    return file;
  } catch (error) {
    await file?.close();
    const refused = isRefusal(error);
    // It may have been created before it was refused.
    if (!reading && (refused || file !== undefined)) await unlink(path).catch(() => {});
    if (refused) return undefined;
    throw error;
  }
}

/** Whether a failed call means that there is no direct I/O here. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'EOPNOTSUPP');
}

/** Writes a new file that was opened with `openDirect`. Two pieces of memory: one is filled while the other is written. */
export class DirectWriter {
  readonly #file: FileHandle;
  #filling = takePiece();
  #writing = takePiece();
  #filled = 0;
  /** Where the next piece goes. */
  #at = 0;
  #pending: Promise<void> = Promise.resolve();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Adds bytes, which are copied. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length;) {
      const taken = bytes.subarray(from, from + PIECE - this.#filled);
      this.#filling.set(taken, this.#filled);
      this.#filled += taken.length;
      from += taken.length;
      if (this.#filled === PIECE) await this.#flush(PIECE);
    }
  }

  /** Writes what is left. The file has its length after that, and is not durable before a `sync`. */
  async finish(): Promise<void> {
    const left = this.#filled;
    const length = this.#at + left;
    const whole = Math.ceil(left / PAGE) * PAGE;
    this.#filling.fill(0, left, whole);
    if (whole > 0) await this.#flush(whole);
    await this.#pending;
    // Also of an empty file, where the page is left that `openDirect` tried.
    if (whole > left || length === 0) await this.#file.truncate(length);
  }

  /** Waits until nothing is written any more, whether that worked or not. The file may be closed then; the writer is of no more use. */
  async end(): Promise<void> {
    await this.#pending.catch(() => {});
    givePiece(this.#filling);
    givePiece(this.#writing);
  }

  async #flush(length: number): Promise<void> {
    await this.#pending;
    [this.#filling, this.#writing] = [this.#writing, this.#filling];
    this.#pending = writeFully(this.#file, this.#writing.subarray(0, length), this.#at);
    // Whoever waits for it next is told.
    this.#pending.catch(() => {});
    this.#at += length;
    this.#filled = 0;
  }
}

/**
 * Puts bytes anywhere into a file: whole pages by direct I/O, without a copy where they lie `alongside` it from `position` on; what is left at either end through
 * `cached`, the same file opened without direct I/O.
 */
export async function writeAround(direct: FileHandle, cached: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  const head = Math.min(bytes.length, (PAGE - (position % PAGE)) % PAGE);
  const tail = head + Math.floor((bytes.length - head) / PAGE) * PAGE;
  await writeFully(cached, bytes.subarray(0, head), position);
  if (liesAlike(bytes, position)) await writeFully(direct, bytes.subarray(head, tail), position + head);
  else await writePieces(direct, bytes.subarray(head, tail), position + head);
  await writeFully(cached, bytes.subarray(tail), position + tail);
}

/** Writes whole pages that lie anywhere in memory. */
async function writePieces(direct: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  const piece = takePiece();
  try {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const part = bytes.subarray(at, at + PIECE);
      copyShared(part, piece);
      await writeFully(direct, piece.subarray(0, part.length), position + at);
    }
  } finally {
    givePiece(piece);
  }
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/**
 * The bytes [`start`, `end`) of a file that was opened with `openDirect`, in parts; fewer when the file ends before. With `into`
 * they are put there, and the parts are parts of it: where it lies `alongside` the file from `start` on without a copy, and what is beside them in the first and
 * the last page is overwritten.
 */
export async function* readDirect(
  file: FileHandle,
  { start, end }: { readonly start: number; readonly end: number },
  into?: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (into !== undefined && liesAlike(into, start)) {
    yield* readPages(file, start, end, into);
    return;
  }
  const piece = takePiece();
  try {
    for (let at = start; at < end;) {
      const from = at - (at % PAGE);
      const length = Math.min(PIECE, Math.ceil((end - from) / PAGE) * PAGE);
      const { bytesRead } = await file.read(piece, 0, length, from);
      const to = Math.min(from + bytesRead, end);
      if (to <= at) return;
      const part = into?.subarray(at - start, to - start) ?? new Uint8Array(to - at);
      copyShared(piece.subarray(at - from, to - from), part);
      yield part;
      at = to;
    }
  } finally {
    givePiece(piece);
  }
}

/** Reads straight into memory that lies alike. */
async function* readPages(file: FileHandle, start: number, end: number, into: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = start; at < end;) {
    const from = at - (at % PAGE);
    const pages = new Uint8Array(into.buffer, into.byteOffset + from - start, Math.ceil((end - from) / PAGE) * PAGE);
    const { bytesRead } = await file.read(pages, 0, pages.length, from);
    const to = Math.min(from + bytesRead, end);
    if (to <= at) return;
    yield into.subarray(at - start, to - start);
    at = to;
  }
}
