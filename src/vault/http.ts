import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Agents } from './agents.ts';

/** One HTTP request. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/**
 * Sends a request and gives the answer when its head is there, whatever its status; no redirect is followed. The body is to
 * be read or destroyed. Rejects with the system's error when no answer came, with an `AbortError` when the signal fires.
 */
export function sendHttp({ method, url, headers, body }: HttpRequest, agents: Agents, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined && method === 'GET' ? {} : { 'Content-Length': String(body?.byteLength ?? 0) };
    const plain = url.protocol === 'http:';
    const send = plain ? httpRequest : httpsRequest;
    const options = { method, headers: { ...headers, ...length }, agent: plain ? agents.http : agents.https, signal };
    const request = send(url, options, resolve);
    // Also after the answer has begun: a server may answer and hang up before it has read the whole body.
    request.on('error', reject);
    request.end(body);
  });
}
