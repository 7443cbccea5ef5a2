import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { onTestFinished } from 'vitest';
import type { Run } from '../../src/cli/command.ts';
import { defineServe } from '../../src/cli/commands/serve.ts';
import { Context } from '../../src/cli/context.ts';
import { Output } from '../../src/cli/output.ts';
import type { Terminal } from '../../src/cli/output.ts';
import type { OpenJobs } from '../../src/cli/serve/serve.ts';
import { emptyFolder, lifeboat } from '../cli/lifeboat.ts';
import type { Result } from '../cli/lifeboat.ts';
import { JobServiceDouble } from './doubles/job-service-double.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';

/** `lifeboat serve` in this process, in a folder of its own, with a double of the jobs' service behind it. */
export interface Serving {
  readonly folder: string;
  readonly url: string;
  readonly provider: OidcProviderDouble;
  readonly jobs: JobServiceDouble;
  readonly said: string[];
  /** The command line against it, with a token of this role. */
  cli(role: string, args: readonly string[]): Promise<Result>;
  /** Stops it; gives its exit code. */
  stop(): Promise<number>;
}

export async function startServing(more = '', openJobs?: OpenJobs): Promise<Serving> {
  const folder = await emptyFolder();
  const provider = await OidcProviderDouble.start();
  onTestFinished(() => provider.close());
  await Promise.all(['near', 'far'].map((name) => mkdir(join(folder, name))));
  await writeFile(
    join(folder, 'lifeboat.yaml'),
    `version: 1
sites: { prod: {}, spare: {} }
vaults: { near: { type: directory, path: near }, far: { type: directory, path: far } }
plans:
  prod: { site: prod, vaults: [near, far] }
server:
  listen: 127.0.0.1:0
  oidc: { issuer: "${provider.issuer}", audience: lifeboat, roles: { viewer: [look], operator: [operate], admin: [administer] } }
  audit: { key: lifeboat-audit.key }
${more}`,
  );
  const made = await lifeboat(['audit', 'init'], { cwd: folder });
  if (made.code !== 0) throw new Error(made.stderr);
  const jobs = new JobServiceDouble();
  const stopping = new AbortController();
  const said: string[] = [];
  const listening = Promise.withResolvers<string>();
  const terminal = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: {
      isTTY: false,
      write: (text: string) => {
        said.push(text);
        const url = /listening on (\S+)/.exec(text)?.[1];
        if (url !== undefined) listening.resolve(url);
        return true;
      },
    },
    env: {},
  } as unknown as Terminal;
  let code = Promise.resolve(-1);
  const run: Run = (body) => (...typed) => {
    const globals = { config: join(folder, 'lifeboat.yaml'), color: false, progress: false };
    const output = new Output(terminal, { json: false, quiet: false, verbose: false, color: false, progress: false });
    code = body(new Context(globals, terminal, output, stopping.signal), ...(typed.slice(0, -1) as never));
    code.catch(listening.reject);
    return Promise.resolve();
  };
  const program = new Command('lifeboat').version('1.2.3');
  defineServe(program, run, openJobs ?? (() => Promise.resolve({ jobs, close: () => jobs.close() })));
  await program.parseAsync(['serve'], { from: 'user' });
  const url = await listening.promise;
  const stop = async (): Promise<number> => {
    stopping.abort();
    return code;
  };
  onTestFinished(async () => {
    await stop();
  });
  return {
    folder,
    url,
    provider,
    jobs,
    said,
    stop,
    cli: async (role, args) => lifeboat(args, { cwd: folder, env: { LIFEBOAT_TOKEN: await provider.token({ subject: `${role}r`, claims: { roles: [role] } }) } }),
  };
}
