/** Small things that are needed to understand what a store or an SDK says, whatever it is. */

/** True of the names that Node's TLS gives to failures of certificates. */
export function isCertificateError(name: string): boolean {
  return /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|HOSTNAME_MISMATCH)/.test(name);
}

/** Milliseconds that a `Retry-After` header means: seconds, or a date (RFC 9110, section 10.2.3). */
export function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** A member of whatever it is; undefined when it has none. */
export function field(value: unknown, name: string): unknown {
  return record(value)[name];
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}

export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
