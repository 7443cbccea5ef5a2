import { TestbedError } from '../errors.ts';
import { openOwnedFolder } from '../../../src/drill/keeper/owned-folder.ts';
import type { OwnedFolder, Program } from '../../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../../src/drill/cluster/ports.ts';

const ATTEMPTS = 5;
const READY_MS = 60_000;
const PAUSE_MS = 50;

/** A running server on loopback. It does not outlive the process that started it. */
export interface KmsServer {
  /** `http://127.0.0.1:12345`. */
  readonly address: string;
  readonly folder: OwnedFolder;
}

/** Starts a server on a free port, and gives it when `ready` resolves to true. Throws a `TestbedError` with its log. */
export async function startKmsServer(
  label: string,
  program: (port: number) => Program,
  ready: (address: string) => Promise<boolean>,
): Promise<KmsServer> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await openOwnedFolder(label);
    const [port = 0] = await freePorts(1);
    const address = `http://127.0.0.1:${port}`;
    try {
      const running = await folder.start(program(port));
      const deadline = Date.now() + READY_MS;
      while (!(await ready(address).catch(() => false))) {
        if (running.end !== undefined || Date.now() > deadline) throw new TestbedError(`${label} did not get ready:\n${await running.logTail()}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      return { address, folder };
    } catch (error) {
      await folder.close();
      if (!/address already in use/i.test(String(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}
