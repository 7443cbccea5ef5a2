import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import type { Site } from '../testbed/kubernetes/site.ts';
import { lifeboat } from './lifeboat.ts';
import type { Result, RunOptions } from './lifeboat.ts';

/** What is secret in the site of these tests; base64 as well, because that is how Secrets hold it. */
export const SITE_SECRET = 'correct-horse-battery-staple';

/** A folder with a lifeboat.yaml, keys and two directory vaults, `near` and `far`. */
export class Home {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  run(args: readonly string[], options: Partial<RunOptions> = {}): Promise<Result> {
    return lifeboat(args, { cwd: this.folder, ...options });
  }

  /** Runs with `--json`, checks the exit code and the shape of the document. */
  async json<T extends z.ZodType>(schema: T, code: number, args: readonly string[], options: Partial<RunOptions> = {}): Promise<z.output<T>> {
    const result = await this.run([...args, '--json'], options);
    if (result.code !== code || result.stderr !== '') {
      throw new Error(`lifeboat ${args.join(' ')}: exit ${result.code}, not ${code}\n${result.stderr}${result.stdout}`);
    }
    return schema.parse(JSON.parse(result.stdout));
  }

  /** A copy to break things in, removed after the test. */
  async copy(): Promise<Home> {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-cli-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await cp(this.folder, folder, { recursive: true, preserveTimestamps: true });
    return new Home(folder);
  }

  /** Everything in this home that must never be seen in an output. */
  async secrets(): Promise<readonly string[]> {
    const identity = await readFile(this.path('lifeboat-identity.txt'), 'utf8');
    const writeKey = await readFile(this.path('lifeboat-write.key'), 'utf8');
    const secret = /^AGE-SECRET-KEY-\S+$/m.exec(identity)?.[0] ?? '';
    return [secret, writeKey.trim().split('.')[1] ?? '', SITE_SECRET, Buffer.from(SITE_SECRET).toString('base64')];
  }
}

/** Sets up a home for a site, as a user would. Remove the folder when done. */
export async function makeHome(site: Site): Promise<Home> {
  const home = new Home(await mkdtemp(join(tmpdir(), 'lifeboat-cli-')));
  const { code, stderr } = await home.run(['init', '--kubeconfig', site.kubeconfigPath, '--vault', 'near=dir:near', '--vault', 'far=dir:far']);
  if (code !== 0) throw new Error(`init failed: ${stderr}`);
  return home;
}

/** Puts a namespace with a few objects, one of them a Secret, into a site. */
export async function furnish(site: Site, namespace: string): Promise<void> {
  await site.api.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices', namespace }, data: { bread: '3.20', milk: '1.10' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace }, stringData: { password: SITE_SECRET } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'example.invalid/web:1' }] } },
      },
    },
  ]);
}

/** Replaces a piece of text in a file of a home. */
export async function edit(home: Home, name: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(home.path(name), 'utf8');
  const edited = text.replace(from, to);
  if (edited === text) throw new Error(`${name} does not hold ${String(from)}`);
  await rm(home.path(name), { force: true });
  await writeFile(home.path(name), edited);
}
