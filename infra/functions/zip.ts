import { readFile, writeFile } from 'node:fs/promises';
import { crc32, deflateRawSync } from 'node:zlib';

/** A file for a ZIP archive: where it comes from, and its path there. */
export interface ZipEntry {
  readonly path: string;
  readonly from: string;
}

/** The first time that the format can say, 1 January 1980: the same files make the same archive, and nothing is deployed that has not changed. */
const DATE = 0x21;
const DEFLATE = 8;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** A file that all may read, as Unix says it. */
const MODE = 0o100644 * 2 ** 16;
const MADE_BY_UNIX = 3 * 256 + VERSION;

/** Writes a ZIP archive of some files. The same files give the same bytes. */
export async function writeZip(file: string, entries: readonly ZipEntry[]): Promise<void> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, from } of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const data = await readFile(from);
    const packed = deflateRawSync(data, { level: 9 });
    const name = Buffer.from(path);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(FLAGS, 2);
    common.writeUInt16LE(DEFLATE, 4);
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(DATE, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(signature(0x04034b50), common, name, packed);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(MODE, 6);
    rest.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(MADE_BY_UNIX);
    directory.push(signature(0x02014b50), madeBy, common, rest, name);
    offset += 30 + name.length + packed.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(index.length, 8);
  end.writeUInt32LE(offset, 12);
  await writeFile(file, Buffer.concat([...parts, index, signature(0x06054b50), end]));
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
