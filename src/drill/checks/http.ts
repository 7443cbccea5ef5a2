import { Readable } from 'node:stream';
import { isAbort, messageOf } from '../../core/errors.ts';
import { formatDuration } from '../../core/duration.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { SiteError } from '../../site/errors.ts';
import type { Findings } from './findings.ts';

/** A request, and what must come of it. */
export interface HttpCheck {
  readonly name: string;
  /** An address; or a path, which the restored API server is asked for. */
  readonly url: string;
  /** Default: any of 200 to 299. */
  readonly status?: number | undefined;
  readonly contains?: string | undefined;
  readonly timeoutMs: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** How much of an answer is looked at, and how much of it a report shows. */
const MOST_BYTES = 1024 * 1024;
const SHOWN_CHARACTERS = 1024;
/** `/api/v1/namespaces/shop/services/web:80/proxy/`: goes through the API server to a pod. */
const PROXIED = /^\/api\/v1\/namespaces\/[^/]+\/(?:services|pods)\/[^/]+\/proxy(?:\/|$)/;

/** Makes a request and judges the answer. Gives the beginning of it. `podsRun`: there is something behind Services. */
export async function runRequest(check: HttpCheck, target: SiteConnection, podsRun: boolean, signal: AbortSignal | undefined, found: Findings): Promise<string> {
  if (!podsRun && PROXIED.test(check.url)) {
    found.skip('It goes to a pod, and in a drill no pod runs');
    return '';
  }
  found.looked();
  const patience = AbortSignal.timeout(check.timeoutMs);
  const either = signal === undefined ? patience : AbortSignal.any([signal, patience]);
  let answer: Answer;
  try {
    answer = check.url.startsWith('/') ? await askApiServer(target, check.url, either) : await askAddress(check.url, either);
  } catch (error) {
    signal?.throwIfAborted();
    found.fail('', patience.aborted || isAbort(error) ? `no answer within ${formatDuration(check.timeoutMs)}` : messageOf(error));
    return '';
  }
  const { status, text } = answer;
  const right = check.status === undefined ? status >= 200 && status <= 299 : status === check.status;
  if (!right) found.fail('', `it answered with ${status}, not ${check.status ?? 'one of 200 to 299'}`);
  if (check.contains !== undefined && !text.includes(check.contains)) found.fail('', `the answer does not contain ${JSON.stringify(check.contains)}`);
  return text.slice(0, SHOWN_CHARACTERS);
}

async function askApiServer(target: SiteConnection, path: string, signal: AbortSignal): Promise<Answer> {
  try {
    const { status, body } = await target.request({ path, accept: '*/*', doing: `get ${path}`, retry: false, signal });
    return { status, text: body.subarray(0, MOST_BYTES).toString('utf8') };
  } catch (error) {
    if (error instanceof SiteError) return { status: error.refusal.status, text: error.refusal.message };
    throw error;
  }
}

async function askAddress(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal, redirect: 'manual' });
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body: AsyncIterable<Uint8Array> = response.body ?? Readable.from([]);
  for await (const chunk of body) {
    chunks.push(chunk);
    // Leaving the loop ends the answer.
    if ((size += chunk.length) >= MOST_BYTES) break;
  }
  return { status: response.status, text: Buffer.concat(chunks).toString('utf8') };
}
