import { z } from 'zod';
import { startHttpDouble } from '../testbed/http-double.ts';

const attribute = z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional(), intValue: z.union([z.number(), z.string()]).optional(), boolValue: z.boolean().optional(), doubleValue: z.number().optional() }) });
const attributes = z.array(attribute).default([]);
const spanSchema = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes,
  status: z.object({ code: z.int().optional(), message: z.string().optional() }).default({}),
});
const exportSchema = z.object({
  resourceSpans: z.array(z.object({ resource: z.object({ attributes }), scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) })),
});

/** A span as the collector got it. Times are milliseconds since 1970. */
export interface CollectedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: string | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface CollectorDouble extends AsyncDisposable {
  readonly url: string;
  readonly spans: () => readonly CollectedSpan[];
  /** All that came, as it came. */
  readonly text: () => string;
  readonly headers: () => readonly Readonly<Record<string, unknown>>[];
}

/** A double of an OpenTelemetry collector: takes OTLP over HTTP as JSON on loopback, and reads it by the protocol's own names. */
export async function startCollectorDouble(): Promise<CollectorDouble> {
  const double = await startHttpDouble(({ method, url, headers }) =>
    method === 'POST' && url.pathname === '/v1/traces' && headers['content-type'] === 'application/json' ? { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' } : { status: 400 },
  );
  return {
    url: double.url,
    text: () => double.requests.map(({ body }) => body.toString()).join('\n'),
    headers: () => double.requests.map(({ headers }) => headers),
    spans: () =>
      double.requests.flatMap(({ body }) =>
        exportSchema.parse(JSON.parse(body.toString())).resourceSpans.flatMap(({ resource, scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) =>
            spans.map((span) => ({
              name: span.name,
              kind: span.kind,
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId,
              startedAt: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
              endedAt: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
              attributes: read(span.attributes),
              failed: span.status.code === 2 ? (span.status.message ?? '') : undefined,
              resource: read(resource.attributes),
            })),
          ),
        ),
      ),
    [Symbol.asyncDispose]: () => double[Symbol.asyncDispose](),
  };
}

function read(list: z.output<typeof attributes>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
