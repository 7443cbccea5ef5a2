import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { cachedArtifact } from '../cache.ts';
import type { CacheOptions } from '../cache.ts';
import { TestbedError } from '../errors.ts';
import { openOwnedFolder } from '../../../src/drill/keeper/owned-folder.ts';
import type { OwnedProcess, Program } from '../../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../../src/drill/cluster/ports.ts';
import { run } from '../run.ts';
import { startAgain, untilReady } from './server.ts';
import type { QueueServer } from './server.ts';

const INSTALLED = '/usr/lib/postgresql';
/** A killed server's own processes may take a moment to notice, and a minute on a busy machine; until then the folder is taken. */
const RESTARTS = 240;

/**
 * The folder with PostgreSQL's programs: the newest that this system has, or the one of Debian's package `postgresql`, downloaded
 * when it is not in the cache. Throws a `TestbedError` that says what is missing.
 */
export async function findPostgres(options: CacheOptions = {}): Promise<string> {
  const versions = existsSync(INSTALLED) ? await readdir(INSTALLED) : [];
  const installed = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(INSTALLED, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'postgres')));
  return installed ?? (await downloaded(options));
}

async function downloaded(options: CacheOptions): Promise<string> {
  const about = await run('apt-cache', ['depends', 'postgresql']).catch((cause: unknown) => {
    throw new TestbedError('PostgreSQL is not installed, and this system has no apt to get it with.', { cause });
  });
  const [, name = '', major = ''] = /Depends: (postgresql-(\d+))/.exec(about) ?? [];
  if (name === '') throw new TestbedError('The sources of apt do not offer PostgreSQL.', { hint: 'Run `apt-get update`.' });
  const version = /Candidate: (\S+)/.exec(await run('apt-cache', ['policy', name]))?.[1] ?? '';
  const folder = await cachedArtifact(
    {
      name: 'postgresql',
      key: [name, version, process.platform, process.arch],
      build: async (dir, report) => {
        report('downloading', `${name} ${version}`);
        await run('apt-get', ['download', `${name}=${version}`], { cwd: dir });
        const [deb = ''] = (await readdir(dir)).filter((file) => file.endsWith('.deb'));
        await run('dpkg-deb', ['--extract', join(dir, deb), dir]);
      },
    },
    options,
  );
  const programs = join(folder, 'usr/lib/postgresql', major, 'bin');
  await run(join(programs, 'postgres'), ['--version']).catch((cause: unknown) => {
    throw new TestbedError(`Libraries that ${name} needs are missing.`, { hint: `Run \`apt-get install ${name}\`.`, cause });
  });
  return programs;
}

/** Starts PostgreSQL on a free port of loopback, in a folder of its own, with one user that has a password. */
export async function startPostgres(cache: CacheOptions = {}): Promise<QueueServer> {
  const programs = await findPostgres(cache);
  const asUser = await notRoot();
  return await startAgain(() => start(programs, asUser));
}

/** What runs a program as somebody else than root, whom PostgreSQL refuses: in a user namespace of its own root has another number. */
async function notRoot(): Promise<readonly string[]> {
  if (process.geteuid?.() !== 0) return [];
  const command = ['unshare', '--user', '--map-user=65534', '--map-group=65534'];
  await run(command[0] ?? '', [...command.slice(1), 'true']).catch((cause: unknown) => {
    throw new TestbedError('PostgreSQL does not run as root, and user namespaces are not allowed here.', { cause });
  });
  return command;
}

async function start(programs: string, asUser: readonly string[]): Promise<QueueServer> {
  const product = `PostgreSQL ${/(\d+)\/bin$/.exec(programs)?.[1] ?? ''}`.trim();
  const folder = await openOwnedFolder('postgres');
  try {
    const password = randomBytes(12).toString('hex');
    const data = join(folder.path, 'data');
    const [port = 0] = await freePorts(1);
    await writeFile(join(folder.path, 'password'), password);
    const login = ['-U', 'queue', '-A', 'scram-sha-256', `--pwfile=${join(folder.path, 'password')}`];
    const initdb = program(programs, asUser, 'initdb', ['-D', data, ...login, '-E', 'UTF8', '--locale=C', '--no-sync']);
    await run(initdb.command, initdb.args, { env: initdb.env });
    const flags = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder.path}`];
    const url = `postgresql://queue:${password}@127.0.0.1:${port}/postgres`;
    let running: OwnedProcess | undefined;
    const restart = async (): Promise<void> => {
      for (let attempt = 1; ; attempt += 1) {
        running = await folder.start(program(programs, asUser, 'postgres', flags));
        try {
          return await untilReady(product, running, () => selectOne(url));
        } catch (error) {
          if (!/is another postmaster|shared memory block/.test(String(error)) || attempt === RESTARTS) throw error;
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      }
    };
    await restart();
    return {
      product,
      url,
      kill: async () => await running?.kill('SIGKILL'),
      restart,
      freeze: async () => await running?.signal('SIGSTOP'),
      thaw: async () => await running?.signal('SIGCONT'),
      stop: () => folder.close(),
      [Symbol.asyncDispose]: () => folder.close(),
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function program(programs: string, asUser: readonly string[], name: string, args: readonly string[]) {
  const [command = '', ...rest] = [...asUser, join(programs, name), ...args];
  return { name, command, args: rest, env: { LC_ALL: 'C' } } satisfies Program;
}

async function selectOne(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  // A connection that the server drops while it starts is reported here too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
