/** A large file of mixed content, the same bytes every time. */
import { createCipheriv } from 'node:crypto';
import type { Cipheriv } from 'node:crypto';
import { open } from 'node:fs/promises';

const MIB = 1024 * 1024;
/** Bytes of one stretch of the file, which is all of one kind. */
const STRETCH = 4 * MIB;

/**
 * What twenty stretches in a row are: like a disk of a database server, with logs and documents, tables, what is compressed
 * already, free space, and copies. Copies begin anywhere: a chunker that cuts by offset finds those alone that happen to fit.
 */
const PATTERN = [
  'text', 'noise', 'table', 'noise', 'text', 'table', 'zeros', 'noise', 'text', 'copy',
  'table', 'noise', 'text', 'table', 'noise', 'zeros', 'text', 'noise', 'table', 'copy',
] as const;
/** Copies are of what came so many bytes before; every other one is where a disk would put it. */
const COPY_BACK = [32 * MIB, 32 * MIB + 12_345];

/** Writes the file. */
export async function writeMixedFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx+');
  const noise = noiseFrom('lifeboat bench');
  let copies = 0;
  try {
    for (let at = 0, turn = 0; at < bytes; at += STRETCH, turn++) {
      const kind = PATTERN[turn % PATTERN.length];
      const stretch = Buffer.alloc(Math.min(STRETCH, bytes - at));
      if (kind === 'text') fillText(stretch, noise);
      else if (kind === 'table') fillTable(stretch, noise, at);
      else if (kind === 'noise') noise.update(stretch).copy(stretch);
      else if (kind === 'copy') await file.read(stretch, 0, stretch.length, at - (COPY_BACK[copies++ % COPY_BACK.length] ?? 0));
      await file.write(stretch, 0, stretch.length, at);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

function noiseFrom(seed: string): Cipheriv {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, seed), Buffer.alloc(16));
}

const SYLLABLES = ['ba', 're', 'ti', 'no', 'ku', 'sel', 'mar', 'den', 'pol', 'vi', 'ran', 'tho', 'gel', 'os', 'im', 'fa'];
const WORDS = Array.from({ length: 4096 }, (_, i) =>
  Buffer.from([i & 15, (i >> 4) & 15, (i >> 8) & 15].slice(0, 1 + ((i * 7) % 3)).map((n) => SYLLABLES[n]).join('')),
);

/** Lines of a log: a time, a level, a source, words and numbers. */
function fillText(target: Buffer, noise: Cipheriv): void {
  const random = noise.update(Buffer.alloc(target.length));
  let second = 1_770_000_000 + (random.readUInt32LE(0) % 1_000_000);
  for (let at = 0, drawn = 0; at < target.length;) {
    second += (random[drawn++] ?? 0) & 3;
    const time = new Date(second * 1000).toISOString();
    at += target.write(`${time} ${(random[drawn++] ?? 0) < 16 ? 'WARN ' : 'INFO '} pod-${(random[drawn++] ?? 0) % 40} `, at);
    for (let left = 6 + ((random[drawn++] ?? 0) & 7); left > 0; left--, drawn += 2) {
      const draw = random.readUInt16LE(drawn);
      // Small numbers are more frequent, as words of a language are.
      at += (WORDS[(draw & 63) * ((draw >> 6) & 63)] ?? Buffer.alloc(0)).copy(target, at);
      at += target.write(' ', at);
    }
    at += target.write(`${random.readUInt32LE((drawn += 4))}\n`, at);
  }
}

/** Rows of 32 bytes: a counter, flags, small numbers, a time, and 12 bytes that look random. */
function fillTable(target: Buffer, noise: Cipheriv, at: number): void {
  noise.update(target).copy(target);
  const rows = Math.floor(target.length / 32);
  for (let row = 0; row < rows; row++) {
    const from = 32 * row;
    target.writeUInt32LE((at / 32 + row) >>> 0, from);
    target[from + 4] = (target[from + 4] ?? 0) & 3;
    target.fill(0, from + 5, from + 8);
    target.writeUInt32LE((target.readUInt32LE(from + 8) & 0x3ff) >>> 0, from + 8);
    target.writeDoubleLE(1_770_000_000 + row / 4, from + 12);
  }
}
