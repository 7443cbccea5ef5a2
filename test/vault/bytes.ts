import { createHash } from 'node:crypto';
import { isLifeboatError } from '../../src/core/errors.ts';
import type { Vault, VaultBody, VaultObject } from '../../src/vault/vault.ts';

type StreamedBody = Exclude<VaultBody, Uint8Array>;

/** Bytes that look random, the same for the same seed. */
export function someBytes(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed * 2_654_435_761 + 1;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A body that comes in parts; `before` is awaited before each and may throw, wait or look around. */
export function inParts(bytes: Uint8Array, partSize: number, before?: (sent: number) => Promise<void> | undefined | void): StreamedBody {
  return {
    size: bytes.byteLength,
    stream: async function* () {
      for (let at = 0; at < bytes.byteLength; at += partSize) {
        await before?.(at);
        yield bytes.subarray(at, at + partSize);
      }
    },
  };
}

/** All bytes of an object that was got. */
export async function read({ length, body }: VaultObject): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (bytes.length !== length) throw new Error(`${bytes.length} bytes came and ${length} were announced`);
  return bytes;
}

/** Bytes and size of a stored object, as a digest: a comparison of large arrays would take a test runner very long. */
export async function digestOf(vault: Vault, key: string): Promise<string> {
  return digest(await read(await vault.get(key)));
}

export function digest(bytes: Uint8Array): string {
  return `${bytes.byteLength} ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** The keys a listing gives, in its order. */
export async function keysOf(vault: Vault, prefix = '', startAfter?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of vault.list(prefix, startAfter === undefined ? {} : { startAfter })) keys.push(key);
  return keys;
}

/** What a call that must fail fails with. */
export async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('the call did not fail');
}

/** The code of lifeboat's own errors; any other error as text. */
export function codeOf(error: unknown): string {
  return isLifeboatError(error) ? error.code : String(error);
}

/** The codes that calls which must all fail fail with. */
export async function codesOf(calls: readonly Promise<unknown>[]): Promise<string[]> {
  return await Promise.all(calls.map(async (call) => codeOf(await failure(call))));
}
