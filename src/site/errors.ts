import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { ErrorDetails } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';

/**
 * The part of a Kubernetes `Status` object that says why a request failed.
 * Source: `k8s.io/apimachinery/pkg/apis/meta/v1` types.go, `Status` and `StatusDetails`.
 */
const statusSchema = z.object({
  kind: z.literal('Status'),
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z
    .object({
      retryAfterSeconds: z.number().optional(),
      causes: z
        .array(z.object({ reason: z.string().default(''), message: z.string().default(''), field: z.string().default('') }))
        .nullish(),
    })
    .nullish(),
});

/** One field or condition a request was refused for, as the API server named it. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** What an API server answered instead of what was asked for. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** Machine-readable reason from the Status object: `NotFound`, `AlreadyExists`, `Invalid`, … `''` when there was no Status object. */
  readonly reason: string;
  /** The server's own words; `''` when there were none. */
  readonly message: string;
  readonly causes: readonly StatusCause[];
  /** How long the server asks to wait before the request is repeated. */
  readonly retryAfterMs: number | undefined;
  /** False when the body was no Status object: something in front of the API server answered. */
  readonly fromApiServer: boolean;
}

/** A request the API server refused; code `LB_SITE_ACCESS`, `LB_SITE_REFUSED`, or `LB_SITE_UNREACHABLE` for passing ones. */
export class SiteError extends LifeboatError {
  readonly refusal: Refusal;

  constructor(code: ErrorCode, message: string, refusal: Refusal, details: ErrorDetails = {}) {
    super(code, message, details);
    this.refusal = refusal;
  }

  get status(): number {
    return this.refusal.status;
  }

  get reason(): string {
    return this.refusal.reason;
  }
}

/** True if `error` is the API server's refusal with one of these HTTP statuses (any, if none is given). */
export function isRefusal(error: unknown, ...statuses: number[]): error is SiteError {
  return error instanceof SiteError && (statuses.length === 0 || statuses.includes(error.status));
}

/** Reads an error answer. `retryAfter` is the header's value: seconds (RFC 9110 section 10.2.3; API servers send no dates). */
export function readRefusal(status: number, retryAfter: string | undefined, body: Uint8Array): Refusal {
  const parsed = statusSchema.safeParse(parseJson(body));
  const seconds = parsed.success ? parsed.data.details?.retryAfterSeconds : undefined;
  const wait = Number(retryAfter ?? seconds ?? Number.NaN);
  return {
    status,
    reason: parsed.success ? parsed.data.reason : '',
    message: parsed.success ? parsed.data.message : '',
    causes: parsed.success ? (parsed.data.details?.causes ?? []) : [],
    retryAfterMs: Number.isFinite(wait) && wait >= 0 ? wait * 1000 : undefined,
    fromApiServer: parsed.success,
  };
}

/** Statuses after which the same request may succeed with nothing changed. */
export function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** Makes the error a refused request ends with. `doing` completes "may not …": `list secrets`. */
export function refusalError(site: string, doing: string, refusal: Refusal): SiteError {
  const where = `site "${site}"`;
  const said = refusal.message === '' ? `HTTP ${refusal.status}` : refusal.message;
  if (refusal.status === 401) {
    return new SiteError('LB_SITE_ACCESS', `The API server does not accept the credentials (to ${doing}): ${said}`, refusal, {
      where,
      hint: 'Log in again, or check the user of the kubeconfig context: the token or certificate may have expired.',
    });
  }
  if (refusal.status === 403) {
    return new SiteError('LB_SITE_ACCESS', `Not allowed to ${doing}: ${said}`, refusal, {
      where,
      hint: 'Give this user the roles in infra/kubernetes, or use another context.',
    });
  }
  if (isPassing(refusal.status)) {
    return new SiteError('LB_SITE_UNREACHABLE', `The API server could not ${doing}: ${said}`, refusal, { where });
  }
  return new SiteError('LB_SITE_REFUSED', `The API server refused to ${doing}: ${said}`, refusal, { where });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
