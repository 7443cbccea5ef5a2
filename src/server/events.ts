import { createHash } from 'node:crypto';
import type { JobService, JobState } from '../jobs/service.ts';
import { restoreView } from './views.ts';

const ENDED: ReadonlySet<JobState> = new Set<JobState>(['done', 'failed', 'canceled']);

export interface EventOptions {
  /** The id of the event that the client saw last. */
  readonly lastSeen: string | undefined;
  /** How often to say that nothing happened, ms. */
  readonly heartbeat: number;
  /** Fires when the client is gone, or the server ends. */
  readonly signal: AbortSignal;
  readonly redact: (text: string) => string;
}

/**
 * What becomes of a restore, as server-sent events: `status` now, unless the client has seen that, and whenever something changes; `end`
 * when it has ended. A client that comes back gets what is true then: each event has all of it.
 */
export function restoreEvents(jobs: JobService, id: string, options: EventOptions): ReadableStream<Uint8Array> {
  const leaving = new AbortController();
  const until = AbortSignal.any([options.signal, leaving.signal]);
  let room = Promise.withResolvers<void>();
  until.addEventListener('abort', () => room.resolve(), { once: true });
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      const say = (text: string): void => controller.enqueue(encoder.encode(text));
      // Proxies end what is silent. Whoever does not read is not sent more and more.
      const timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) say(': still here\n\n');
      }, options.heartbeat);
      const run = async (): Promise<void> => {
        for await (const event of eventsOf(jobs, id, until, options)) {
          while ((controller.desiredSize ?? 0) <= 0 && !until.aborted) {
            room = Promise.withResolvers();
            await room.promise;
          }
          if (until.aborted) return;
          say(event);
        }
      };
      void run()
        // The client comes back by itself, and the answer to that says what is wrong.
        .catch(() => undefined)
        .then(() => {
          clearInterval(timer);
          if (!leaving.signal.aborted) controller.close();
        });
    },
    pull() {
      room.resolve();
    },
    cancel() {
      leaving.abort();
    },
  });
}

async function* eventsOf(jobs: JobService, id: string, until: AbortSignal, { lastSeen, redact }: EventOptions): AsyncGenerator<string> {
  yield 'retry: 3000\n\n';
  let seen = lastSeen;
  for await (const status of jobs.follow(id, until)) {
    const view = restoreView(status);
    if (view === undefined) return;
    const data = redact(JSON.stringify(view));
    const event = eventId(data);
    if (event !== seen) yield `id: ${event}\nevent: status\ndata: ${data}\n\n`;
    seen = event;
    if (!ENDED.has(status.state)) continue;
    yield 'event: end\ndata: {}\n\n';
    return;
  }
}

/** The same for the same state: a client that comes back says which it saw last. */
function eventId(data: string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

/** Whether this is the last that there is to say of a restore, and its client has seen it. */
export function nothingMore(view: { readonly state: JobState }, lastSeen: string | undefined, redact: (text: string) => string): boolean {
  return ENDED.has(view.state) && lastSeen === eventId(redact(JSON.stringify(view)));
}
