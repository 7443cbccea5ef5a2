import { ERROR_CODES } from './error-codes.ts';
import type { ErrorCode } from './error-codes.ts';

/** What a `LifeboatError` carries beside its code and message. */
export interface ErrorDetails {
  /** Where it happened, as the user knows it: `lifeboat.yaml:12:5`, `vault "offsite"`, `packs/ab/abcd…`, `Secret shop/db`. */
  readonly where?: string;
  /** What the user can do about it: one or two sentences, imperative. */
  readonly hint?: string;
  /** The error underneath. Shown only with `--verbose`; it must not carry secrets. */
  readonly cause?: unknown;
}

/**
 * The one kind of error lifeboat throws on purpose. Every code is documented in docs/errors.md
 * (a test fails when the two differ). Anything else that reaches the command line is a bug
 * and is reported as `LB_INTERNAL`.
 */
export class LifeboatError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'LifeboatError';
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }

  /** True when the same call may succeed later with nothing changed by the user. */
  get retriable(): boolean {
    return ERROR_CODES[this.code].retriable;
  }

  /** The exit code a command ends with when this error ends it. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }
}

/** True if `error` is a `LifeboatError`, with `code` if one is given. */
export function isLifeboatError(error: unknown, code?: ErrorCode): error is LifeboatError {
  return error instanceof LifeboatError && (code === undefined || error.code === code);
}

/** True if `error` says that an `AbortSignal` fired (a deadline or Ctrl-C), however it is wrapped. */
export function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return true;
  return error.cause !== undefined && isAbort(error.cause);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
