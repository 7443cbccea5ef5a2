import { isLifeboatError, messageOf } from '../../core/errors.ts';

/** One thing doctor looked at. */
export interface Finding {
  /** What it is about: `site "prod"`, `vault "offsite"`, `keys`. */
  readonly subject: string;
  /** Stable, kebab-case: `reachable`, `rights`, `create-only`. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly fix?: string;
}

/** Told every finding as it is made. */
export type Report = (finding: Finding) => void;

/** A failed finding from whatever was thrown. */
export function failure(subject: string, check: string, error: unknown): Finding {
  const hint = isLifeboatError(error) ? error.hint : undefined;
  return { subject, check, status: 'fail', message: messageOf(error), ...(hint !== undefined && { fix: hint }) };
}
