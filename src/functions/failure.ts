import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { FunctionSurroundings } from './surroundings.ts';

/** Logs why a function failed, with its code and what to do. */
export function logFailure(error: unknown, name: string, surroundings: FunctionSurroundings): void {
  const known = isLifeboatError(error) ? error : undefined;
  surroundings.log({
    level: 'error',
    message: messageOf(error),
    function: name,
    code: known?.code ?? 'LB_INTERNAL',
    ...(known?.where !== undefined && { where: known.where }),
    ...(known?.hint !== undefined && { hint: known.hint }),
  });
}

/** Whether it can succeed when the platform delivers the event again. What nobody thought of may. */
export function mayPass(error: unknown): boolean {
  return !isLifeboatError(error) || error.retriable;
}
