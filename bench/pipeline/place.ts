/** What the figures of the pipeline are measured on: a queue, vaults, sites, and workers in processes of their own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatReadKey, formatWriteKey, generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../../src/keys/index.ts';
import { createRepository } from '../../src/repository/index.ts';
import { openVault } from '../../src/vault/open.ts';
import { LAUNCHER } from '../../test/support/launcher.ts';


/** A plan of a lifeboat.yaml that a bench writes. */
export interface BenchPlan {
  readonly name: string;
  readonly kubeconfig: string;
  readonly every?: string;
}

/** Writes lifeboat.yaml, keys and two directory vaults into a folder. */
export async function writePlace(folder: string, queue: string, plans: readonly BenchPlan[]): Promise<string> {
  const keys = await generateRepositoryKeys();
  const { recipient } = await generateIdentity('x25519');
  const vaults = await Promise.all(['near', 'far'].map((name) => openVault({ type: 'directory', name, path: join(folder, name) }, { create: true })));
  await createRepository({ vaults, keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
  for (const vault of vaults) await vault.close();
  await writeFile(join(folder, 'write.key'), formatWriteKey(writeKeyOf(keys)), { mode: 0o600 });
  await writeFile(join(folder, 'read.key'), formatReadKey(keys), { mode: 0o600 });
  const file = join(folder, 'lifeboat.yaml');
  await writeFile(
    file,
    [
      'version: 1',
      'sites:',
      ...plans.map(({ name, kubeconfig }) => `  ${name}: { kubeconfig: "${kubeconfig}" }`),
      'vaults:',
      '  near: { type: directory, path: near }',
      '  far: { type: directory, path: far }',
      'keys:',
      '  write: { file: write.key }',
      '  read: { file: read.key }',
      `queue: { type: redis, url: "${queue}" }`,
      'plans:',
      ...plans.map(({ name, every }) => `  ${name}: { site: ${name}, vaults: [near, far]${every === undefined ? '' : `, schedule: { every: ${every} }`} }`),
      '',
    ].join('\n'),
  );
  return file;
}

/** A `lifeboat worker` in a process of its own. */
export class BenchWorker {
  readonly #child: ChildProcess;
  #tail = '';

  constructor(folder: string, args: readonly string[] = []) {
    this.#child = spawn(process.execPath, [LAUNCHER, 'worker', ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#tail = (this.#tail + text).slice(-4000)));
  }

  /** The end of what it wrote. */
  get tail(): string {
    return this.#tail;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The most memory it ever had resident, MiB; its processor time, seconds. */
  async used(): Promise<{ readonly peakMegabytes: number; readonly cpuSeconds: number }> {
    const { pid } = this.#child;
    const [status, stat] = await Promise.all([readFile(`/proc/${pid}/status`, 'utf8'), readFile(`/proc/${pid}/stat`, 'utf8')]);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { peakMegabytes: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}
