import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import { collect } from '../vault/streams.ts';
import type { GetOptions, Vault } from '../vault/vault.ts';
import { sha256HexOffThread } from './bytes.ts';

/** A whole object, or a range of it. Throws what the vault throws. */
export async function readObject(vault: Vault, key: string, options?: GetOptions): Promise<Uint8Array> {
  const object = await vault.get(key, options);
  return collect(object.body, object.length);
}

/** A whole object whose SHA-256 is known. Throws `LB_REPO_DAMAGED` when the bytes are others. */
export async function readNamed(vault: Vault, key: string, sha256: string, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = await readObject(vault, key, { signal });
  if ((await sha256HexOffThread(bytes)) === sha256) return bytes;
  throw new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object', {
    where: whereIs(vault, key),
  });
}

/** As `readObject`, but `undefined` when there is no such object. */
export async function readIfThere(vault: Vault, key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await readObject(vault, key, { signal });
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING')) return undefined;
    throw error;
  }
}

/** `vault "offsite", packs/ab/abcd…`: where an object is, for people. */
export function whereIs(vault: Pick<Vault, 'name'>, key: string): string {
  return `vault "${vault.name}", ${key}`;
}

/** Runs `work` and makes its `LifeboatError`s say where they happened, unless they do. */
export async function at<T>(where: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLifeboatError(error) || error.where !== undefined) throw error;
    throw new LifeboatError(error.code, error.message, {
      where,
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error.cause,
    });
  }
}
