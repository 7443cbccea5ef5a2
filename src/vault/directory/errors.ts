import { isAbort, isLifeboatError } from '../../core/errors.ts';
import { VaultError } from '../errors.ts';
import type { VaultErrorCode } from '../errors.ts';

/** The `code` of an error of a system call, such as `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** What was being done when a system call failed; decides what a refused permission means. */
export type DirectoryAccess = 'read' | 'write';

/** Where a system call failed. */
export interface DirectoryFailure {
  readonly vault: string;
  readonly path: string;
  readonly key?: string | undefined;
  readonly access: DirectoryAccess;
}

/**
 * The `LB_VAULT_*` error that a failed system call means. Errors that are lifeboat's own, or that say that a
 * signal fired, are returned as they are.
 */
export function directoryError(error: unknown, failure: DirectoryFailure): unknown {
  const errno = errnoOf(error);
  if (isLifeboatError(error) || isAbort(error) || errno === undefined) return error;
  const { vault, path, key, access } = failure;
  const fail = (code: VaultErrorCode, message: string, hint?: string): VaultError =>
    new VaultError(code, vault, message, { key, hint, cause: error });
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
      return fail(
        'LB_VAULT_FULL',
        errno === 'ENOSPC' ? `No space is left in ${path}` : `The disk quota for ${path} is used up`,
        'Make room on that file system, or use another vault.',
      );
    case 'EROFS':
      return fail('LB_VAULT_READ_ONLY', `${path} is on a file system that is mounted read-only`);
    case 'EACCES':
    case 'EPERM':
      return access === 'write'
        ? fail('LB_VAULT_READ_ONLY', `${path} may not be written to (${errno})`, permissionHint(path))
        : fail('LB_VAULT_ACCESS', `${path} may not be read (${errno})`, permissionHint(path));
    case 'ENOTDIR':
    case 'EISDIR':
      return fail('LB_VAULT_INVALID_KEY', `A part of the object's name is the name of another object`);
    case 'ENAMETOOLONG':
      return fail('LB_VAULT_INVALID_KEY', `The object's name is too long for the file system of ${path}`);
    default:
      return fail('LB_VAULT_UNAVAILABLE', `${path} could not be ${access === 'write' ? 'written' : 'read'} (${errno})`);
  }
}

function permissionHint(path: string): string {
  return `Give the user that runs lifeboat the rights on ${path}, or run it as the owner of the folder.`;
}

/** The failure of a vault whose folder is not there. */
export function folderMissing(vault: string, path: string, cause?: unknown): VaultError {
  return new VaultError('LB_VAULT_NOT_FOUND', vault, `The folder ${path} does not exist`, {
    hint: 'Create it, mount the disk it is on, or correct the path.',
    cause,
  });
}
