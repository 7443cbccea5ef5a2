import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alongside, DirectWriter, openDirect, readDirect, sharedPages, writeAround } from '../../src/core/direct-io.ts';

let folder: string;
let offered: boolean;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-direct-'));
  const probe = await openDirect(join(folder, 'probe'), { create: 0o600 });
  offered = probe !== undefined;
  await probe?.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const newPath = (): string => join(folder, `file-${files++}`);

async function created(path: string): Promise<FileHandle> {
  const file = await openDirect(path, { create: 0o600 });
  if (file === undefined) throw new Error('there is no direct I/O any more');
  return file;
}

/** Lengths around the pages and pieces that direct I/O works in. */
const length = fc.oneof(
  fc.nat(10_000),
  fc.tuple(fc.constantFrom(4096, 1024 * 1024, 2 * 1024 * 1024), fc.integer({ min: -3, max: 3 })).map(([whole, more]) => whole + more),
);

describe('direct I/O', () => {
  it('writes a file of any length, given in any parts', async ({ skip }) => {
    if (!offered) skip('the folder for temporary files has no direct I/O');
    await fc.assert(
      fc.asyncProperty(fc.array(length, { maxLength: 4 }), async (lengths) => {
        const path = newPath();
        const parts = lengths.map((bytes) => randomBytes(bytes));
        const file = await created(path);
        const writer = new DirectWriter(file);
        try {
          for (const part of parts) await writer.write(part);
          await writer.finish();
        } finally {
          await writer.end();
          await file.close();
        }
        expect(Buffer.concat(parts).equals(await readFile(path))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('reads any range, into memory of its own or into that given, and ends where the file ends', async ({ skip }) => {
    if (!offered) skip('the folder for temporary files has no direct I/O');
    const path = newPath();
    const bytes = randomBytes(3 * 1024 * 1024 + 4097);
    const file = await created(path);
    const writer = new DirectWriter(file);
    await writer.write(bytes);
    await writer.finish();
    await writer.end();
    await file.close();
    const reading = await openDirect(path, 'read');
    if (reading === undefined) throw new Error('there is no direct I/O any more');
    try {
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length), length, fc.constantFrom('its own', 'given', 'alongside'), async (start, wanted, memory) => {
          const into = memory === 'its own' ? undefined : memory === 'given' ? new Uint8Array(new SharedArrayBuffer(wanted)) : alongside(sharedPages(wanted), start);
          const parts: Uint8Array[] = [];
          for await (const part of readDirect(reading, { start, end: start + wanted }, into)) parts.push(part);
          const expected = bytes.subarray(start, start + wanted);
          const read = Buffer.concat(parts);
          expect(read.equals(expected)).toBe(true);
          expect(Buffer.from(into?.subarray(0, expected.length) ?? read).equals(expected)).toBe(true);
          if (into === undefined) return;
          // What lies alongside may get whole pages, and nothing beyond them.
          const end = into.byteOffset + expected.length;
          const beyond = memory === 'alongside' ? Math.ceil(end / 4096) * 4096 : end;
          expect(Buffer.from(into.buffer).subarray(beyond).every((byte) => byte === 0)).toBe(true);
        }),
        { numRuns: 60 },
      );
    } finally {
      await reading.close();
    }
  });

  it('puts bytes anywhere into a file, beside those that others put there at once', async ({ skip }) => {
    if (!offered) skip('the folder for temporary files has no direct I/O');
    await fc.assert(
      fc.asyncProperty(fc.array(length, { minLength: 1, maxLength: 5 }), fc.boolean(), async (lengths, lieAlike) => {
        const path = newPath();
        const direct = await created(path);
        const cached = await open(path, 'r+');
        const parts = lengths.map((bytes) => randomBytes(bytes));
        try {
          let at = 0;
          await Promise.all(
            parts.map((part) => {
              const position = at;
              at += part.length;
              if (!lieAlike) return writeAround(direct, cached, part, position);
              const pages = alongside(sharedPages(part.length), position).subarray(0, part.length);
              pages.set(part);
              return writeAround(direct, cached, pages, position);
            }),
          );
          await cached.truncate(at);
        } finally {
          await direct.close();
          await cached.close();
        }
        expect(Buffer.concat(parts).equals(await readFile(path))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('creates no file over another', async ({ skip }) => {
    if (!offered) skip('the folder for temporary files has no direct I/O');
    const path = newPath();
    await (await created(path)).close();
    await expect(openDirect(path, { create: 0o600 })).rejects.toMatchObject({ code: 'EEXIST' });
    expect((await stat(path)).isFile()).toBe(true);
  });
});
