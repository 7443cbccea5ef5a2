import { TestbedError } from './errors.ts';
import { openOwnedFolder } from '../../src/drill/keeper/owned-folder.ts';
import type { OwnedFolder, OwnedProcess, Program } from '../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../src/drill/cluster/ports.ts';

/** A running server on loopback. It does not outlive the process that started it. */
export interface HttpServer extends AsyncDisposable {
  /** `SeaweedFS 4.48`. */
  readonly product: string;
  /** `http://127.0.0.1:12345`. */
  readonly url: string;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same address with the same data, and waits until it is ready. */
  restart(): Promise<void>;
  /** Ends it and removes all it stored. */
  stop(): Promise<void>;
}

/** How a server is run. */
export interface HttpProduct {
  readonly product: string;
  /** Lower-case letters, digits and `-`. */
  readonly label: string;
  /** Ports it needs; the first one is where it is spoken to. */
  readonly ports: number;
  /** Writes what it needs into the folder, and says how to start it. Called again for a restart. */
  readonly program: (folder: string, ports: readonly number[]) => Promise<Program>;
  /** Resolves once it can do its work; called again and again while it rejects. */
  readonly tryOut: (url: string) => Promise<void>;
}

const ATTEMPTS = 5;
const READY_MS = 60_000;
const PAUSE_MS = 100;

/** Starts a server and gives it when it is ready. Throws a `TestbedError` with its log when it does not get there. */
export async function startHttpServer(product: HttpProduct): Promise<HttpServer> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await openOwnedFolder(product.label);
    const server = new RunningServer(product, folder, await freePorts(product.ports));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (!/address already in use/i.test(String(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}

class RunningServer implements HttpServer {
  readonly product: string;
  readonly url: string;
  readonly #how: HttpProduct;
  readonly #folder: OwnedFolder;
  readonly #ports: readonly number[];
  #process: OwnedProcess | undefined;

  constructor(how: HttpProduct, folder: OwnedFolder, ports: readonly number[]) {
    this.product = how.product;
    this.url = `http://127.0.0.1:${ports[0] ?? 0}`;
    this.#how = how;
    this.#folder = folder;
    this.#ports = ports;
  }

  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL');
  }

  async restart(): Promise<void> {
    const program = await this.#how.program(this.#folder.path, this.#ports);
    this.#process = await this.#folder.start(program);
    await this.#ready(this.#process);
  }

  async stop(): Promise<void> {
    await this.#folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** A server may answer long before it can do its work, so that is what is tried. */
  async #ready(process: OwnedProcess): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      try {
        await this.#how.tryOut(this.url);
        return;
      } catch (error) {
        if (process.end === undefined && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          continue;
        }
        const log = await process.logTail();
        throw new TestbedError(`${this.product} did not get ready:\n${log}`, { cause: error });
      }
    }
  }
}
