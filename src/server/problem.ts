import { z } from 'zod';
import { ERROR_CODES, EXIT } from '../core/error-codes.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';

/** An error as RFC 9457 has it, with what every error of lifeboat says. */
export const problemSchema = z
  .strictObject({
    type: z.string().describe('`urn:lifeboat:error:` and the code.'),
    title: z.string().describe('What the code means.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('What happened.'),
    code: z.string().describe('A stable code of docs/errors.md.'),
    where: z.string().optional().describe('Where it happened.'),
    hint: z.string().optional().describe('What to do about it.'),
    docs: z.string().describe('Where more is said about it.'),
    instance: z.string().describe('`urn:uuid:` and the id of the request, which the log of the server has too.'),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457).' });

export type Problem = z.output<typeof problemSchema>;

export const PROBLEM_TYPE = 'application/problem+json';

/** An error with a status that its code alone does not tell. */
export class ApiError extends LifeboatError {
  readonly status: number;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: ErrorCode, message: string, details: { readonly hint?: string; readonly where?: string; readonly retryAfter?: number } = {}) {
    super(code, message, details);
    this.status = status;
    this.retryAfter = details.retryAfter;
  }
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  LB_API_REQUEST: 400,
  LB_API_UNAUTHENTICATED: 401,
  LB_API_FORBIDDEN: 403,
  LB_API_NOT_FOUND: 404,
  LB_API_CONFLICT: 409,
  LB_API_TOO_MANY: 429,
  LB_CONFIRMATION: 409,
  LB_POINT_NOT_FOUND: 404,
};

/** The status of an error: what may pass is 503, wrong usage is 422, and the rest is the server's own trouble. */
export function statusOf(error: unknown): number {
  if (error instanceof ApiError) return error.status;
  if (!isLifeboatError(error)) return 500;
  const known = STATUS[error.code];
  if (known !== undefined) return known;
  if (error.retriable) return 503;
  return ERROR_CODES[error.code].exit === EXIT.usage ? 422 : 500;
}

/** Any error as a problem. What was not thrown on purpose says nothing of itself: the log has it. */
export function problemOf(error: unknown, requestId: string): Problem {
  const known = isLifeboatError(error)
    ? error
    : new LifeboatError('LB_INTERNAL', 'Something unexpected happened', { hint: 'The log of the server has more about this request.' });
  const { code, hint, message, where } = known;
  return {
    type: `urn:lifeboat:error:${code}`,
    title: ERROR_CODES[code].title,
    status: statusOf(error),
    detail: message,
    code,
    ...(where !== undefined && { where }),
    ...(hint !== undefined && { hint }),
    docs: `docs/errors.md#${code.toLowerCase()}`,
    instance: `urn:uuid:${requestId}`,
  };
}
