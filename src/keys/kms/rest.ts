import type { z } from 'zod';
import { isLifeboatError } from '../../core/errors.ts';
import type { KmsKey } from './address.ts';
import { connectionError, kmsError } from './errors.ts';

/** What a service answered. */
export interface RestAnswer {
  readonly status: number;
  /** The body as JSON; `undefined` when it is none. */
  readonly body: unknown;
}

/** An answer is a ciphertext or an error; whoever sends more is not what we asked. */
const LONGEST_BODY = 64 * 1024;

/**
 * One request with a JSON body and answer. Redirects are not followed, because they would take credentials to an address
 * that nobody allowed. Throws `LB_KEY_UNAVAILABLE` and `LB_KEY_UNTRUSTED`, and the signal's reason.
 */
export async function requestJson(
  key: KmsKey,
  url: string,
  request: { readonly method: 'GET' | 'POST'; readonly headers: Readonly<Record<string, string>>; readonly body?: object },
  signal: AbortSignal,
): Promise<RestAnswer> {
  const { method, headers, body } = request;
  try {
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      signal,
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.status >= 300 && answer.status < 400) {
      await answer.body?.cancel();
      throw kmsError('LB_KEY_UNAVAILABLE', key, {
        reason: `it redirects (HTTP ${answer.status})`,
        hint: 'Name the address it redirects to, if that is the right one: redirects are not followed.',
      });
    }
    return { status: answer.status, body: parse(await readBounded(answer, key)) };
  } catch (error) {
    signal.throwIfAborted();
    throw isLifeboatError(error) ? error : connectionError(error, key);
  }
}

async function readBounded(answer: Response, key: KmsKey): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | undefined = answer.body ?? undefined;
  if (body === undefined) return '';
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length > LONGEST_BODY) throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'its answer is too long' });
  }
  return Buffer.concat(parts).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An answer that said that all went well, as it must look. Throws `LB_KEY_UNAVAILABLE` when it looks otherwise. */
export function readAnswer<T extends z.ZodType>(key: KmsKey, schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'its answer is not that of such a service' });
}

/** Words of a service as they may stand in a message: one line, printable, not too long. */
export function inWords(text: string | undefined): string | undefined {
  return text?.replaceAll(/[^\x20-\x7e]+/g, ' ').trim().slice(0, 200);
}
