import { createHash } from 'node:crypto';
import { LifeboatError } from '../../core/errors.ts';
import { indexHash, indexKey, packKey, RESCUE_PREFIX } from '../layout.ts';
import { forEachParallel } from '../parallel.ts';
import { sha256HexOffThread } from '../bytes.ts';
import type { VaultCheck } from './vault-check.ts';

/** Large objects read at once in each vault: bounds memory at this many packs. */
const PARALLEL = 3;

/** Given the bytes of packs and index objects that are what their name says. */
export interface ByteSink {
  /** Whether the bytes of this pack are wanted; when not, it is hashed as it comes in. */
  wantsPack(id: string): boolean;
  pack(id: string, bytes: Uint8Array): Promise<void>;
  /** Throws when the bytes are not a good index object. */
  index(id: string, bytes: Uint8Array): Promise<void>;
}

/** Reads every pack, index object and rescue file of a vault, and compares it with its name. */
export async function checkBytes(
  check: VaultCheck,
  needed: ReadonlyMap<string, readonly string[]>,
  sink: ByteSink,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const work: (() => Promise<void>)[] = [];
  for (const id of check.packs()) {
    const key = packKey(id);
    const points = needed.get(id) ?? [];
    work.push(() =>
      check.examine(key, points, async () => {
        if (!sink.wantsPack(id)) return expectHash(await hashObject(check, key, onBytes, signal), id);
        const bytes = await check.read(key);
        onBytes(bytes.length);
        expectHash(await sha256HexOffThread(bytes), id);
        await sink.pack(id, bytes);
      }),
    );
  }
  for (const { key, sha256 } of rescueFilesOf(check)) {
    work.push(() =>
      check.examine(key, [], async () => expectHash(await hashObject(check, key, onBytes, signal), sha256)),
    );
  }
  await forEachParallel(work, PARALLEL, (one) => one());
  // After the packs, so that what they hold is known by then.
  await forEachParallel(check.indexes(), PARALLEL, async (id) => {
    await check.examine(indexKey(id), [], async () => {
      const bytes = await check.read(indexKey(id));
      onBytes(bytes.length);
      expectHash(await sha256HexOffThread(bytes), indexHash(id));
      await sink.index(id, bytes);
    });
  });
}

/** Bytes that `checkBytes` will read. */
export function bytesToRead(check: VaultCheck): number {
  const keys = [
    ...check.packs().map(packKey),
    ...check.indexes().map(indexKey),
    ...rescueFilesOf(check).map(({ key }) => key),
  ];
  return keys.reduce((sum, key) => sum + (check.sizes.get(key) ?? 0), 0);
}

/** Rescue files with the hash they must have: from the signed header, or, for those that came later, from their names. */
function rescueFilesOf(check: VaultCheck): { readonly key: string; readonly sha256: string }[] {
  const signed = new Map(check.header?.rescue.map(({ key, sha256 }) => [key, sha256]));
  const files: { key: string; sha256: string }[] = [];
  for (const key of check.sizes.keys()) {
    const sha256 = signed.get(key) ?? /^rescue\/.*-([0-9a-f]{16})\.[a-z]+$/.exec(key)?.[1];
    if (key.startsWith(RESCUE_PREFIX) && sha256 !== undefined) files.push({ key, sha256 });
  }
  return files;
}

async function hashObject(
  check: VaultCheck,
  key: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  const object = await check.vault.get(key, { signal });
  for await (const part of object.body) {
    hash.update(part);
    check.bytesRead += part.length;
    onBytes(part.length);
  }
  return hash.digest('hex');
}

/** `wanted` is a SHA-256 or the beginning of one. */
function expectHash(actual: string, wanted: string): void {
  if (!actual.startsWith(wanted))
    throw new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object');
}
