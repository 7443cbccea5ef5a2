import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'lifeboat-signature';

/** `t=1773453300,v1=<hex>`: HMAC-SHA-256 of `<t>.<body>`, so that an old message cannot be sent again as a new one. */
export function signBody(secret: string, body: string, at: number): string {
  const t = Math.floor(at / 1000);
  return `t=${t},v1=${macOf(secret, t, body)}`;
}

/** Whether a signature is that of the body, and at most so many milliseconds old or ahead. */
export function verifySignature(secret: string, body: string, header: string, { now, tolerance = 300_000 }: { readonly now: number; readonly tolerance?: number }): boolean {
  const parts = new Map(header.split(',').map((part): [string, string] => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]));
  const t = Number(parts.get('t'));
  if (!Number.isInteger(t) || Math.abs(now - t * 1000) > tolerance) return false;
  const wanted = Buffer.from(macOf(secret, t, body));
  const given = Buffer.from(parts.get('v1') ?? '');
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function macOf(secret: string, t: number, body: string): string {
  return createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
}
