import { createHash } from 'node:crypto';
import { sha256HexOffThread } from '../bytes.ts';
import { indexHash, indexKey, packKey, RESCUE_PREFIX } from '../layout.ts';
import { forEachParallel } from '../parallel.ts';
import { expectHash, rescueHash } from './expect-hash.ts';
import type { VaultCheck } from './vault-check.ts';

/** Large objects read at once: bounds memory at this many packs. */
const PARALLEL = 3;

/** Given the bytes of packs and index objects that are what their name says. */
export interface ByteSink {
  /** Whether the bytes of this pack are wanted; when not, it is hashed as it comes in. */
  wantsPack(id: string): boolean;
  pack(id: string, bytes: Uint8Array): Promise<void>;
  /** Throws when the bytes are not a good index object. */
  index(id: string, bytes: Uint8Array): Promise<void>;
}

/** An object to be read whole, and compared with its name. */
export interface Reading {
  readonly check: VaultCheck;
  readonly key: string;
  /** Bytes, as listed. */
  readonly size: number;
  readonly kind: 'pack' | 'rescue' | 'index';
  /** SHA-256 the bytes must have, or the beginning of it. */
  readonly sha256: string;
  /** Of a pack: its id. Of an index object: the same. */
  readonly id: string;
}

/** Every pack, rescue file and index object of a vault, in this order: what the packs hold is known when the index is read. */
export function readingsOf(check: VaultCheck): Reading[] {
  const size = (key: string): number => check.sizes.get(key) ?? 0;
  return [
    ...check.packs().map((id) => ({ check, kind: 'pack' as const, id, key: packKey(id), size: size(packKey(id)), sha256: id })),
    ...rescueFilesOf(check).map(({ key, sha256 }) => ({ check, kind: 'rescue' as const, id: key, key, size: size(key), sha256 })),
    ...check.indexes().map((id) => ({ check, kind: 'index' as const, id, key: indexKey(id), size: size(indexKey(id)), sha256: indexHash(id) })),
  ];
}

/**
 * Reads objects in order, some at the same time, until `may` says no of one. `pointsOf`: the points that need a pack of this vault.
 * What is wrong becomes a finding.
 */
export async function readAll(
  readings: Iterable<Reading>,
  how: {
    readonly may: (reading: Reading) => boolean;
    readonly pointsOf: (reading: Reading) => readonly string[];
    readonly sink: ByteSink;
    readonly onBytes: (bytes: number) => void;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  const { may, pointsOf, sink, onBytes, signal } = how;
  const allowed = function* (): Generator<Reading> {
    for (const reading of readings) {
      if (!may(reading)) return;
      yield reading;
    }
  };
  await forEachParallel(allowed(), PARALLEL, async (reading) => {
    const { check, key, kind, id, sha256 } = reading;
    await check.examine(key, pointsOf(reading), async () => {
      if (kind === 'rescue' || (kind === 'pack' && !sink.wantsPack(id))) {
        expectHash(await hashObject(check, key, onBytes, signal), sha256);
        return;
      }
      const bytes = await check.read(key);
      onBytes(bytes.length);
      expectHash(await sha256HexOffThread(bytes), sha256);
      await (kind === 'pack' ? sink.pack(id, bytes) : sink.index(id, bytes));
    });
  });
}

/** Rescue files with the hash they must have: from the signed header, or, for those that came later, from their names. */
function rescueFilesOf(check: VaultCheck): { readonly key: string; readonly sha256: string }[] {
  const signed = new Map(check.header?.rescue.map(({ key, sha256 }) => [key, sha256]));
  const files: { key: string; sha256: string }[] = [];
  for (const key of check.sizes.keys()) {
    const sha256 = signed.get(key) ?? rescueHash(key);
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
  const object = await check.view.get(key, { signal });
  for await (const part of object.body) {
    hash.update(part);
    check.bytesRead += part.length;
    onBytes(part.length);
  }
  return hash.digest('hex');
}
