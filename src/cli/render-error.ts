import { ConfigError } from '../config/problem.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { ERROR_CODES, EXIT } from '../core/error-codes.ts';
import { isAbort, isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Style } from './style.ts';

/** An error as `--json` shows it. */
export interface ErrorDocument {
  readonly ok: false;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly where?: string;
    readonly hint?: string;
    /** Every mistake of lifeboat.yaml, for `LB_CONFIG_INVALID`. */
    readonly problems?: ConfigError['problems'];
  };
}

/** Whatever was thrown, as one of our own errors: an interruption, or a bug. */
export function asLifeboatError(error: unknown): LifeboatError {
  if (isLifeboatError(error)) return error;
  if (isAbort(error)) return new LifeboatError('LB_INTERRUPTED', 'Stopped before it was finished', { cause: error });
  return new LifeboatError('LB_INTERNAL', `Something unexpected happened: ${messageOf(error)}`, {
    hint: 'This is a bug in lifeboat: run the command again with --verbose and report what it shows.',
    cause: error,
  });
}

export function errorDocument(error: LifeboatError): ErrorDocument {
  return {
    ok: false,
    error: {
      code: error.code,
      message: error instanceof ConfigError ? error.message.split('\n', 1).join('') : error.message,
      ...(error.where !== undefined && { where: error.where }),
      ...(error.hint !== undefined && { hint: error.hint }),
      ...(error instanceof ConfigError && { problems: error.problems }),
    },
  };
}

/**
 * An error for people: what, where, what to do, and the code to look up. `verbose` adds what is underneath it,
 * with stacks.
 */
export function renderError(error: LifeboatError, style: Style, verbose: boolean): string {
  const out = [`${style.red(style.bold('error:'))} ${error.message}`];
  if (error.where !== undefined && !(error instanceof ConfigError)) out.push(`  at ${error.where}`);
  if (error.hint !== undefined) out.push(`  ${style.bold('fix:')} ${error.hint}`);
  if (ERROR_CODES[error.code].exit !== EXIT.interrupted) out.push(style.dim(`  code: ${error.code} (docs/errors.md)`));
  if (verbose) for (const cause of causesOf(error)) out.push(style.dim(indent(cause)));
  return out.join('\n');
}

function causesOf(error: LifeboatError): string[] {
  const causes: string[] = [error.stack ?? ''];
  let cause = error.cause;
  while (cause !== undefined && causes.length < 10) {
    causes.push(`caused by ${cause instanceof Error ? (cause.stack ?? cause.message) : messageOf(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
