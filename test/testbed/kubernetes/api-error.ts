import { z } from 'zod';

const statusSchema = z.looseObject({ kind: z.literal('Status'), message: z.string(), reason: z.string().optional() });

/** An API server answered with something other than success. */
export class ApiError extends Error {
  readonly status: number;
  /** Kubernetes' word for it: `NotFound`, `AlreadyExists`, `Forbidden`. */
  readonly reason: string | undefined;

  constructor(request: string, status: number, message: string, reason: string | undefined) {
    super(`${request}: ${status} ${message}`);
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
  }
}

/** The error for an answer. Its body is a `Status` object, or, from what is not Kubernetes, some text. */
export function apiError(request: string, status: number, body: Buffer): ApiError {
  const text = body.toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return new ApiError(request, status, text.trim(), undefined);
  }
  const known = statusSchema.safeParse(parsed);
  return known.success
    ? new ApiError(request, status, known.data.message, known.data.reason)
    : new ApiError(request, status, text, undefined);
}

/** The server knows no such kind: it may be about to. */
export class UnknownKindError extends Error {
  constructor(apiVersion: string, kind: string) {
    super(`the API server has no ${kind} in ${apiVersion}`);
    this.name = 'UnknownKindError';
  }
}

/**
 * Whether an error means that a kind is not there, or not yet: the API server does not list it, or answers with a
 * plain 404. For an object or a namespace that is missing it answers with a `Status` that gives the reason.
 */
export function isUndefinedKind(error: unknown): boolean {
  if (error instanceof UnknownKindError) return true;
  return error instanceof ApiError && error.status === 404 && error.reason === undefined;
}
