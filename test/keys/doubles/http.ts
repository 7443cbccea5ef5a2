import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a double answers. */
export interface DoubleAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A double's server on loopback. */
export interface DoubleServer extends AsyncDisposable {
  readonly address: string;
}

/** Serves what `answer` says, as JSON. A double that throws answers 500. */
export async function serveDouble(answer: (request: IncomingMessage, body: string) => DoubleAnswer): Promise<DoubleServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const said = await (async () => answer(request, Buffer.concat(parts).toString()))().catch((error: unknown): DoubleAnswer => ({ status: 500, body: { double: String(error) } }));
      response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
      response.end(said.body === undefined ? '' : JSON.stringify(said.body));
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
