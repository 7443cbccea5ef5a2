import type { Clock } from '../../core/clock.ts';

/** How often, and how long, something is sent to somebody who may be away. */
export interface SendLimits {
  /** Of one try, ms. */
  readonly timeout: number;
  readonly tries: number;
  /** Before the second try, ms; it doubles. */
  readonly firstPause: number;
  /** The longest pause, ms, also when the server asks for more. */
  readonly longestPause: number;
}

export interface SendOptions {
  readonly limits: SendLimits;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A request as it is made at each try. */
export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As many as a proper move of an address takes. */
const MOST_REDIRECTS = 3;

/**
 * Sends a request until it is taken (2xx), refused for good, or tried often enough. Goes where it is sent on only at the same
 * origin, with the same method: what it carries is meant for this server alone. Rejects with why it was not taken; the address,
 * which is often a secret, is no part of that.
 */
export async function send(url: string, make: () => Sent, { limits, clock, signal }: SendOptions): Promise<void> {
  let pause = limits.firstPause;
  for (let attempt = 1; ; attempt += 1) {
    let asked = 0;
    try {
      const answer = await once(new URL(url), make(), AbortSignal.any([signal, AbortSignal.timeout(limits.timeout)]));
      if (answer.status >= 200 && answer.status < 300) return;
      asked = retryAfter(answer.headers.get('retry-after'), clock.now());
      throw new NotTaken(`it answered with ${answer.status}`, passing(answer.status));
    } catch (error) {
      signal.throwIfAborted();
      const again = !(error instanceof NotTaken) || error.passing;
      if (!again || attempt >= limits.tries) throw error instanceof NotTaken ? error : new NotTaken(reasonOf(error), true);
    }
    await clock.sleep(Math.min(limits.longestPause, Math.max(asked, pause)), signal);
    pause *= 2;
  }
}

/** Why a request was not taken. */
class NotTaken extends Error {
  readonly passing: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.name = 'NotTaken';
    this.passing = mayPass;
  }
}

async function once(url: URL, request: Sent, signal: AbortSignal): Promise<Response> {
  let at = url;
  for (let hops = 0; ; hops += 1) {
    const answer = await fetch(at, { ...request, redirect: 'manual', signal });
    await answer.body?.cancel();
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null) return answer;
    const next = new URL(location, at);
    if (next.origin !== url.origin) throw new NotTaken('it sends on to another server', false);
    const sameMethod = answer.status === 307 || answer.status === 308 || request.method === 'GET';
    if (!sameMethod || hops >= MOST_REDIRECTS) throw new NotTaken(`it sends on with ${answer.status}`, false);
    at = next;
  }
}

function passing(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Milliseconds that the server asks to wait. */
function retryAfter(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

/** Without the address, which messages of `fetch` may hold. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it could not be asked';
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  const cause = error.cause as { readonly code?: unknown } | undefined;
  return typeof cause?.code === 'string' ? `it could not be reached (${cause.code})` : 'it could not be reached';
}
