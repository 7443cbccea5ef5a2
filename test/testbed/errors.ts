/**
 * Something the testbed needs is missing or did not work. The testbed is no part of the product,
 * so it has its own error and none of the product's codes.
 */
export class TestbedError extends Error {
  /** What to do about it: one or two sentences. */
  readonly hint: string | undefined;

  constructor(message: string, details: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(
      details.hint === undefined ? message : `${message}\n${details.hint}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.name = 'TestbedError';
    this.hint = details.hint;
  }
}

export { isSystemError } from '../../src/core/system-error.ts';
