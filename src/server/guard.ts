import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { AuditEntry } from './audit/record.ts';
import { FailureLimiter } from './auth/failures.ts';
import { permits } from './auth/principal.ts';
import type { Principal } from './auth/principal.ts';
import type { AppEnv, AppParts, Guard } from './parts.ts';
import { ApiError, statusOf } from './problem.ts';

type Asked = Context<AppEnv>;

/** Makes the guard of an app. */
export function guardOf(parts: AppParts): Guard {
  const failures = new FailureLimiter(parts.clock);
  return (role, route) => async (context, next) => {
    context.set('route', route);
    const peer = context.env.peer ?? { address: 'unknown' };
    let principal: Principal;
    try {
      principal = await parts.authenticate(context.req.header('authorization'), peer);
    } catch (error) {
      const wait = isLifeboatError(error, 'LB_API_UNAUTHENTICATED') ? failures.failed(peer.address) : undefined;
      if (wait === undefined) throw error;
      throw new ApiError(429, 'LB_API_TOO_MANY', 'Too many credentials from this address were refused', { hint: 'Wait a minute, and get a new token.', retryAfter: wait });
    }
    context.set('principal', principal);
    if (!permits(principal.role, role)) {
      throw new LifeboatError('LB_API_FORBIDDEN', principal.role === undefined ? 'You have no role here' : `This takes the role ${role}; yours is ${principal.role}`, {
        hint: 'Ask whoever runs the server: `roles` of lifeboat.yaml says who has which.',
      });
    }
    await next();
  };
}

/** Puts on record that something is looked at that not everybody may know of. */
export async function looked(context: Asked, { audit }: AppParts, ids: AuditEntry['what']['ids']): Promise<void> {
  audit.add({ ...about(context, ids), outcome: 'answered', status: 200 });
  if (audit.immediate) await audit.flush();
}

/**
 * Does something, once it is on record in a vault that it was asked for; what came of it follows. Throws `LB_AUDIT_UNAVAILABLE`, with
 * nothing done, when that cannot be put on record.
 */
export async function changing<T>(context: Asked, { audit }: AppParts, change: { readonly ids: AuditEntry['what']['ids']; readonly status: number }, act: () => Promise<T>): Promise<T> {
  const { ids, status } = change;
  const body = await context.req.arrayBuffer();
  const digest = body.byteLength === 0 ? {} : { digest: createHash('sha256').update(new Uint8Array(body)).digest('hex') };
  const of = audit.add({ ...about(context, ids), outcome: 'begun', ...digest });
  await audit.flush();
  const ended = async (entry: Pick<AuditEntry, 'code' | 'outcome' | 'status'>): Promise<void> => {
    audit.add({ ...about(context, ids), ...entry, of });
    if (audit.immediate) await audit.flush();
  };
  let value: T;
  try {
    value = await act();
  } catch (error) {
    await ended({ outcome: 'failed', status: statusOf(error), code: isLifeboatError(error) ? error.code : 'LB_INTERNAL' });
    throw error;
  }
  await ended({ outcome: 'done', status });
  return value;
}

/** Puts on record that somebody was refused. Never fails: then the answer would be another one than the refusal. */
export async function refused(context: Asked, { audit }: AppParts, error: LifeboatError): Promise<void> {
  audit.add({ ...about(context, {}), outcome: 'refused', status: statusOf(error), code: error.code });
  if (audit.immediate) await audit.flush().catch(() => undefined);
}

function about(context: Asked, ids: AuditEntry['what']['ids']): Pick<AuditEntry, 'from' | 'what' | 'who'> {
  const principal = context.var.principal as Principal | undefined;
  return {
    who: principal === undefined ? { kind: 'nobody' } : whoIs(principal),
    from: context.env.peer?.address ?? 'unknown',
    what: { method: context.req.method, route: context.var.route, ids },
  };
}

function whoIs({ kind, subject, issuer, fingerprint, role }: Principal): AuditEntry['who'] {
  return { kind, subject, issuer, ...(fingerprint !== undefined && { fingerprint }), ...(role !== undefined && { role }) };
}
