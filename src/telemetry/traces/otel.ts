import { context, diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Redactor } from '../../core/redact.ts';
import type { Log } from '../log/log.ts';
import { findActiveIds } from './active.ts';
import { RedactingExporter } from './redacting-exporter.ts';
import { resourceOf } from './resource.ts';
import { samplerOf } from './sampler.ts';
import { readTraceparent, writeTraceparent } from './traceparent.ts';
import type { SpanAttributes, SpanOptions, TraceSpan, Tracing } from './tracing.ts';

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER } as const;
/** A collector that is away is told of this often, ms. */
const TROUBLE_EVERY = 60_000;
/** How long flushing may take, ms: a function pays for it. */
const FLUSH_MS = 5_000;

export interface OtelOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly redactor: Redactor;
  readonly log: Pick<Log, 'warn'>;
  readonly version?: string;
}

/** Traces of the OpenTelemetry SDK. */
export class OtelTracing implements Tracing {
  readonly enabled = true;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  static start(url: string, { env, redactor, log, version }: OtelOptions): OtelTracing {
    hideHeaders(env, redactor.add.bind(redactor));
    tellTrouble(log);
    const asked = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/json';
    if (asked !== 'http/json') log.warn('Traces are sent as http/json, whatever OTEL_EXPORTER_OTLP_PROTOCOL says', { where: url });
    const exporter = new RedactingExporter(new OTLPTraceExporter({ url }), redactor);
    const provider = new TracerProvider({
      resource: resourceOf(env, version),
      sampler: samplerOf(env),
      spanProcessors: [new BatchSpanProcessor({ exporter, ...batchOf(env) })],
    });
    // Refused when somebody has set one already, which does as well.
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    findActiveIds(() => {
      const span = trace.getSpanContext(context.active());
      return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
    });
    return new OtelTracing(provider);
  }

  private constructor(provider: TracerProvider) {
    this.#provider = provider;
    this.#tracer = provider.getTracer('lifeboat');
  }

  begin(name: string, { kind = 'internal', parent, attributes = {}, startedAt }: SpanOptions = {}): TraceSpan {
    const from = parent === undefined ? context.active() : contextOf(parent);
    return new OtelSpan(this.#tracer, this.#tracer.startSpan(name, { kind: KINDS[kind], attributes: defined(attributes), ...(startedAt !== undefined && { startTime: startedAt }) }, from));
  }

  async within<T>(name: string, options: SpanOptions, body: (span: TraceSpan) => Promise<T>): Promise<T> {
    const span = this.begin(name, options);
    try {
      return await span.run(() => body(span));
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  async flush(): Promise<void> {
    await this.#provider.forceFlush({ timeoutMillis: FLUSH_MS }).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#provider.shutdown().catch(() => undefined);
  }
}

class OtelSpan implements TraceSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;

  constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get traceparent(): string {
    return writeTraceparent(this.#span.spanContext());
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(defined(attributes));
  }

  fail(error: unknown): void {
    const code = isLifeboatError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
    this.#span.setAttribute('error.type', code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  }

  part(name: string, startedAt: number, endedAt: number, attributes: SpanAttributes = {}): void {
    this.#tracer.startSpan(name, { startTime: startedAt, attributes: defined(attributes) }, this.#context()).end(endedAt);
  }

  run<T>(body: () => T): T {
    return context.with(this.#context(), body);
  }

  end(at?: number): void {
    this.#span.end(at);
  }

  #context(): Context {
    return trace.setSpan(context.active(), this.#span);
  }
}

function contextOf(parent: string): Context {
  const found = readTraceparent(parent);
  return found === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, found);
}

function defined(attributes: SpanAttributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes;
}

/** As the specification of the SDK's environment variables has them; what is not set is the SDK's. */
function batchOf(env: NodeJS.ProcessEnv): { scheduledDelayMillis?: number; exportTimeoutMillis?: number; maxQueueSize?: number; maxExportBatchSize?: number } {
  const names = { scheduledDelayMillis: 'SCHEDULE_DELAY', exportTimeoutMillis: 'EXPORT_TIMEOUT', maxQueueSize: 'MAX_QUEUE_SIZE', maxExportBatchSize: 'MAX_EXPORT_BATCH_SIZE' };
  return Object.fromEntries(
    Object.entries(names).flatMap(([option, name]) => {
      const value = Number(env[`OTEL_BSP_${name}`]);
      return Number.isInteger(value) && value > 0 ? [[option, value]] : [];
    }),
  );
}

/** Headers for a collector are how one is let in there. */
function hideHeaders(env: NodeJS.ProcessEnv, hide: (secret: string) => void): void {
  for (const name of ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS']) {
    for (const pair of env[name]?.split(',') ?? []) {
      const value = pair.slice(pair.indexOf('=') + 1).trim();
      hide(value);
      try {
        hide(decodeURIComponent(value));
      } catch {
        // Not encoded, then.
      }
    }
  }
}

/** What the SDK has to say of itself goes to the log, and not with every batch again. */
function tellTrouble(log: Pick<Log, 'warn'>): void {
  let told = Number.NEGATIVE_INFINITY;
  const say = (message: string, ...more: unknown[]): void => {
    if (performance.now() - told < TROUBLE_EVERY) return;
    told = performance.now();
    log.warn('Traces are not sent', { err: [message, ...more].map(String).join(' ') });
  };
  const nothing = (): void => undefined;
  diag.setLogger({ error: say, warn: say, info: nothing, debug: nothing, verbose: nothing }, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
