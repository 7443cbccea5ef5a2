import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came, whole. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface DoubleAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A server of ours that stands in for one that cannot be had: it records requests, and answers as it is told to. */
export interface HttpDouble extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
}

/** Starts a double on loopback. Where `answer` gives nothing, the connection is reset instead. */
export async function startHttpDouble(
  answer: (request: RecordedRequest) => DoubleAnswer | undefined | Promise<DoubleAnswer | undefined>,
): Promise<HttpDouble> {
  const requests: RecordedRequest[] = [];
  const server = createServer((request, response) => {
    const answering = async (): Promise<void> => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const { method = '', url = '', headers } = request;
      const recorded = { method, url: new URL(url, 'http://double'), headers, body: Buffer.concat(parts) };
      requests.push(recorded);
      const given = await answer(recorded);
      if (given === undefined) request.socket.resetAndDestroy();
      else response.writeHead(given.status, given.headers).end(given.body);
    };
    // Whoever asked may be gone.
    answering().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
