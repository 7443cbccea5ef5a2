import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import type { Redactor } from '../../core/redact.ts';

const LONGEST = 4_000;

/** Takes secrets out of everything that a span holds, then hands it on: no span goes past it. */
export class RedactingExporter implements SpanExporter {
  readonly #next: SpanExporter;
  readonly #redactor: Redactor;

  constructor(next: SpanExporter, redactor: Redactor) {
    this.#next = next;
    this.#redactor = redactor;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#next.export(spans.map((span) => this.#clean(span)), done);
  }

  shutdown(): Promise<void> {
    return this.#next.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#next.forceFlush?.();
  }

  #clean(span: ReadableSpan): ReadableSpan {
    const { message } = span.status;
    return {
      name: this.#text(span.name),
      kind: span.kind,
      spanContext: () => span.spanContext(),
      ...(span.parentSpanContext !== undefined && { parentSpanContext: span.parentSpanContext }),
      startTime: span.startTime,
      endTime: span.endTime,
      status: { code: span.status.code, ...(message !== undefined && { message: this.#text(message) }) },
      attributes: this.#attributes(span.attributes),
      links: span.links.map((link) => ({ ...link, attributes: this.#attributes(link.attributes ?? {}) })),
      events: span.events.map((event) => ({ ...event, name: this.#text(event.name), attributes: this.#attributes(event.attributes ?? {}) })),
      duration: span.duration,
      ended: span.ended,
      resource: span.resource,
      instrumentationScope: span.instrumentationScope,
      droppedAttributesCount: span.droppedAttributesCount,
      droppedEventsCount: span.droppedEventsCount,
      droppedLinksCount: span.droppedLinksCount,
    };
  }

  #attributes(attributes: Attributes): Attributes {
    const clean: Attributes = {};
    for (const [name, value] of Object.entries(attributes)) clean[this.#text(name)] = this.#value(value);
    return clean;
  }

  /** An attribute can be anything JSON by now; a secret may be of digits alone. */
  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number') return this.#text(String(value)) === String(value) ? value : this.#text(String(value));
    if (Array.isArray(value)) return value.map((one: unknown) => this.#value(one));
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, one]) => [this.#text(name), this.#value(one)]));
    return value;
  }

  /** Not cut by the SDK, which would leave a part of a secret. */
  #text(text: string): string {
    const safe = this.#redactor.redact(text);
    return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
  }
}
