import { once } from 'node:events';
import { Agent as HttpAgent, createServer, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Agent as HttpsAgent, createServer as createTlsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CutOnPurpose, forward } from './fault-stream.ts';
import type { BodyFault } from './fault-stream.ts';

/** What is done to one request, in place of passing it on unharmed. Bytes are those of bodies, counted from 0. */
export type FaultAction =
  /** Passed on after a pause. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Passed on once something has happened; when that fails, the connection is broken. */
  | { readonly do: 'hold'; readonly until: () => Promise<unknown> }
  /** Answered here; the server never sees it. Its body is read to the end first. */
  | { readonly do: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** Read, passed on to nobody, and never answered; the connection stays open. */
  | { readonly do: 'hang' }
  /** The connection is reset as soon as the head of the request is there. */
  | { readonly do: 'refuse' }
  /** The request is served; then the connection is reset without a byte of the answer. */
  | { readonly do: 'lose-answer' }
  /** Something happens in the middle of the body that goes to the server. */
  | { readonly do: 'harm-request'; readonly body: BodyFault }
  /** Something happens in the middle of the body that comes back. */
  | { readonly do: 'harm-answer'; readonly body: BodyFault };

/** What a fault is matched against. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
}

export interface Fault {
  readonly action: FaultAction;
  /** Which requests it is for; all if not said. */
  readonly when?: (request: SeenRequest) => boolean;
  /** Matching requests that are let through first; 0 if not said. */
  readonly after?: number;
  /** Requests it is done to, 1 if not said; then it is over. */
  readonly times?: number;
}

/** A fault in place. */
export interface InjectedFault {
  /** Requests it was done to so far. */
  readonly hits: number;
  /** Ends it. */
  remove(): void;
}

export interface FaultProxyOptions {
  /** `http://127.0.0.1:9000` or `https://…`. */
  readonly upstream: string;
  /** PEM of the authority that signed an https upstream's certificate. */
  readonly upstreamCa?: string | undefined;
  /** PEM of a certificate and its key, to serve https; plain http if not given. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * An HTTP/1.1 reverse proxy on loopback that does harm on demand, to be put in front of a real server. The `Host`
 * header and all others are passed on as they came, so that signatures over them stay valid (only `Expect` is
 * answered here).
 */
export interface FaultProxy extends AsyncDisposable {
  /** Where it listens: `http://127.0.0.1:12345`. */
  readonly url: string;
  /** Every request that came, in order. */
  readonly requests: readonly SeenRequest[];
  /** Puts a fault in place. Of several that match a request, the oldest is done. */
  inject(fault: Fault): InjectedFault;
  /** Ends all faults. Requests that hang go on hanging. */
  clear(): void;
  /** Breaks all connections and stops listening. */
  close(): Promise<void>;
}

/** Starts a proxy in front of `upstream`, which need not be running. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

interface ActiveFault extends InjectedFault {
  readonly fault: Fault;
  hits: number;
  passed: number;
}

class RunningProxy implements FaultProxy {
  readonly requests: SeenRequest[] = [];
  readonly #upstream: URL;
  readonly #send: (request: IncomingMessage) => ClientRequest;
  readonly #agent: HttpAgent;
  readonly #server: Server;
  readonly #scheme: string;
  #faults: ActiveFault[] = [];

  constructor({ upstream, upstreamCa, tls }: FaultProxyOptions) {
    this.#upstream = new URL(upstream);
    const secure = this.#upstream.protocol === 'https:';
    const agentOptions = { keepAlive: true };
    const trust = upstreamCa === undefined ? {} : { ca: upstreamCa };
    this.#agent = secure ? new HttpsAgent({ ...agentOptions, ...trust }) : new HttpAgent(agentOptions);
    this.#send = (request) => this.#request(secure ? httpsRequest : httpRequest, request);
    const listener: RequestListener = (request, response) => {
      void this.#serve(request, response);
    };
    this.#server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    this.#server.keepAliveTimeout = 60_000;
    this.#scheme = tls === undefined ? 'http' : 'https';
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  inject(fault: Fault): InjectedFault {
    const active: ActiveFault = {
      fault,
      hits: 0,
      passed: 0,
      remove: () => {
        this.#faults = this.#faults.filter((other) => other !== active);
      },
    };
    this.#faults.push(active);
    return active;
  }

  clear(): void {
    this.#faults = [];
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The action for this request, if there is one. Counts it. */
  #actionFor(seen: SeenRequest): FaultAction | undefined {
    for (const active of this.#faults) {
      const { when, after = 0, times = 1, action } = active.fault;
      if (active.hits >= times || when?.(seen) === false) continue;
      active.passed += 1;
      if (active.passed <= after) continue;
      active.hits += 1;
      return action;
    }
    return undefined;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = { method: request.method ?? '', url: request.url ?? '' };
    this.requests.push(seen);
    // Either side may break at any time; whatever awaits it is told.
    request.on('error', () => {});
    response.on('error', () => {});
    try {
      await this.#act(this.#actionFor(seen), request, response);
    } catch {
      request.destroy();
      response.destroy();
    }
  }

  async #act(action: FaultAction | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (action?.do) {
      case undefined:
        return await this.#pass(request, response, {});
      case 'delay':
        await new Promise((resolve) => setTimeout(resolve, action.ms));
        return await this.#pass(request, response, {});
      case 'hold':
        await action.until();
        return await this.#pass(request, response, {});
      case 'answer':
        await drain(request);
        response.writeHead(action.status, action.headers).end(action.body ?? '');
        return;
      case 'hang':
        return await drain(request);
      case 'refuse':
        request.socket.resetAndDestroy();
        return;
      case 'lose-answer':
        return await this.#pass(request, response, { loseAnswer: true });
      case 'harm-request':
        return await this.#pass(request, response, { request: action.body });
      case 'harm-answer':
        return await this.#pass(request, response, { answer: action.body });
    }
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    harm: { readonly request?: BodyFault; readonly answer?: BodyFault; readonly loseAnswer?: boolean },
  ): Promise<void> {
    const upstream = this.#send(request);
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    const [answered] = await Promise.all([
      once(upstream, 'response') as Promise<[IncomingMessage]>,
      forward(request, upstream, harm.request).catch((error: unknown) => {
        // A server may answer and close before it has read everything: then its answer counts.
        if (error instanceof CutOnPurpose) throw error;
      }),
    ]);
    const [answer] = answered;
    if (harm.loseAnswer === true) {
      await drain(answer);
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
    response.flushHeaders();
    await forward(answer, response, harm.answer);
  }

  #request(send: typeof httpRequest, { method, url, rawHeaders }: IncomingMessage): ClientRequest {
    const { hostname, port } = this.#upstream;
    const headers = rawHeaders.filter((_, i) => rawHeaders[i - (i % 2)]?.toLowerCase() !== 'expect');
    return send({ hostname, port, method, path: url, headers, agent: this.#agent });
  }
}

async function drain(stream: IncomingMessage): Promise<void> {
  for await (const _ of stream);
}
