import { spawn } from 'node:child_process';
import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from '../../infra/bundle/bundle.ts';
import { FIXTURE } from './surroundings.ts';

/** The framework, to be run with the project’s own Node. */
export const SERVERLESS = join(PROJECT, 'node_modules/serverless/bin/serverless.js');

/** Lays serverless.yml out in a folder of its own, with the fixture's lifeboat.yaml: nothing is written into the work tree. */
export async function layOut(folder: string): Promise<void> {
  for (const part of ['functions', 'infra', 'src', 'node_modules', 'package.json']) await symlink(join(PROJECT, part), join(folder, part));
  await cp(join(PROJECT, 'serverless.yml'), join(folder, 'serverless.yml'));
  for (const file of ['lifeboat.yaml', 'lifeboat.aws.yaml']) await cp(join(FIXTURE, file), join(folder, file));
}

export interface ServerlessRun {
  readonly code: number;
  readonly output: string;
}

/** The environment of the framework: it asks nobody anything, and finds no credentials but these. */
export function serverlessEnv(env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    SLS_TELEMETRY_DISABLED: '1',
    SLS_NOTIFICATIONS_MODE: 'off',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_COLOR: '1',
    ...env,
  };
}

/** Starts the framework with the project's own Node. */
export function startServerless(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawn> {
  const flags = ['--disable-warning=ExperimentalWarning', SERVERLESS];
  return spawn(process.execPath, [...flags, ...args], { cwd: folder, env: serverlessEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command of the framework to its end. */
export async function serverless(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ServerlessRun> {
  const child = startServerless(folder, args, env);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output };
}
