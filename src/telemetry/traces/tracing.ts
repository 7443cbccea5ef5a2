import { AsyncLocalStorage } from 'node:async_hooks';
import { readTraceparent, writeTraceparent } from './traceparent.ts';

/** What is known of a span. Values are shown to whoever sees traces: names and counts, no contents. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** `producer`, `consumer`: of a job; `server`: of a request or event from outside; `client`: of one to outside. Default: `internal`. */
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** The traceparent of what it is a part of: a request's header, a job's. Default: the span that is going on here, if any. */
  readonly parent?: string | undefined;
  readonly attributes?: SpanAttributes;
  /** Milliseconds since 1970. Default: now. */
  readonly startedAt?: number;
}

/** Something that takes time, as a trace shows it. */
export interface TraceSpan {
  /** For whoever goes on with it, in another process too. Without tracing: the parent's. */
  readonly traceparent: string | undefined;
  /** Calls it otherwise, where only its end shows what it is. */
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** It failed. */
  fail(error: unknown): void;
  /** A part of it that is over. */
  part(name: string, startedAt: number, endedAt: number, attributes?: SpanAttributes): void;
  /** Calls it so that what begins in it is a part of this, and lines of the log carry its ids. */
  run<T>(body: () => T): T;
  /** Milliseconds since 1970. Default: now. */
  end(at?: number): void;
}

/** Makes traces, where somebody collects them; else does nothing but pass on what came in. */
export interface Tracing {
  readonly enabled: boolean;
  begin(name: string, options?: SpanOptions): TraceSpan;
  /** A span around a call: ends with it, and fails with it. */
  within<T>(name: string, options: SpanOptions, body: (span: TraceSpan) => Promise<T>): Promise<T>;
  /** Sends what is left: before a function may be frozen, and at the end. Never rejects. */
  flush(): Promise<void>;
  /** The same for good. */
  close(): Promise<void>;
}

/** The traceparent that came in with what is going on here. */
const cameIn = new AsyncLocalStorage<string | undefined>();

/** No traces: a traceparent that came in is handed on. */
export const NO_TRACING: Tracing = {
  enabled: false,
  begin: (_name, { parent = cameIn.getStore() } = {}) => new PassingSpan(handedOn(parent)),
  within: async (name, options, body) => {
    const span = NO_TRACING.begin(name, options);
    return span.run(() => body(span));
  },
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** As this version writes it: a later one may have more in it, which a job does not take. */
function handedOn(parent: string | undefined): string | undefined {
  const found = readTraceparent(parent);
  return found === undefined ? undefined : writeTraceparent(found);
}

class PassingSpan implements TraceSpan {
  readonly traceparent: string | undefined;

  constructor(traceparent: string | undefined) {
    this.traceparent = traceparent;
  }

  rename(): void {}
  set(): void {}
  fail(): void {}
  part(): void {}
  end(): void {}

  run<T>(body: () => T): T {
    return cameIn.run(this.traceparent, body);
  }
}
