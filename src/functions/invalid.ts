import { LifeboatError } from '../core/errors.ts';

/** An event that is not understood: it never will be, however often it comes. */
export function eventInvalid(what: string, hint?: string): LifeboatError {
  return new LifeboatError('LB_EVENT_INVALID', what, { ...(hint !== undefined && { hint }) });
}
