import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BuildProgress } from '../progress.ts';
import { run } from '../run.ts';
import { COMPONENTS, ensureControlPlane } from './build.ts';
import { findComponents } from './components.ts';

/**
 * A double of `go` that builds at once: a real build of a control plane takes minutes. It notes each call in `calls`,
 * and its version is what is in `version`.
 */
const FAKE_GO = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >> "$here/calls"
case "$1" in
env) cat "$here/version"; echo linux; echo amd64 ;;
list) echo "go: downloading example.com/a v1.0.0" >&2; printf 'a\\nb\\n' ;;
build)
  echo a >&2; echo b >&2
  while [ "$1" != -o ]; do shift; done
  cp "$here/version" "$2" ;;
esac
`;

let folder: string;
let module: string;
let tools: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-build-test-'));
  module = join(folder, 'module');
  tools = join(folder, 'tools');
  await mkdir(module);
  await mkdir(tools);
  await writeFile(join(module, 'main.go'), 'package main\n');
  await writeFile(join(module, 'go.mod'), 'module example.com/m\n\ngo 1.26.0\n');
  await writeFile(join(module, 'go.sum'), 'example.com/a v1.0.0 h1:x\n');
  await writeFile(join(tools, 'version'), 'go1.26.8\n');
  await writeFile(join(tools, 'go'), FAKE_GO);
  await chmod(join(tools, 'go'), 0o755);
  vi.stubEnv('PATH', `${tools}${delimiter}${process.env['PATH'] ?? ''}`);
  vi.stubEnv('KUBEBUILDER_ASSETS', '');
});

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function ensure(told: BuildProgress[] = []): Promise<string> {
  return await ensureControlPlane({ module, folder: join(folder, 'cache'), onProgress: (at) => told.push(at) });
}

async function builds(): Promise<number> {
  const calls = await readFile(join(tools, 'calls'), 'utf8');
  return calls.split('\n').filter((call) => call.startsWith('build')).length;
}

describe('ensureControlPlane', () => {
  it('lays the components out as envtest does, and shows how the build goes', async () => {
    // A step that takes longer than a second, as any may on a busy machine, is told again: here time does not pass.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const told: BuildProgress[] = [];
    const built = await ensure(told);
    expect((await readdir(built)).toSorted()).toEqual(['controlplane', ...COMPONENTS].toSorted());
    // The folder was moved after the build: its links must not say where it was.
    expect(await readlink(join(built, 'etcd'))).toBe('controlplane');
    const shown = told.map(({ step, detail }) => (detail === undefined ? step : `${step}: ${detail}`));
    expect(shown).toEqual([
      'getting the modules',
      'getting the modules: 1 downloaded',
      'compiling',
      'compiling: 1 of at most 2 packages',
      'compiling: 2 of at most 2 packages',
      'ready',
    ]);
  });

  it('builds again when go.sum has changed', async () => {
    const first = await ensure();
    await appendFile(join(module, 'go.sum'), 'example.com/b v1.0.0 h1:y\n');
    expect(await ensure()).not.toBe(first);
    expect(await builds()).toBe(2);
  });

  it('builds again for another Go', async () => {
    await ensure();
    await writeFile(join(tools, 'version'), 'go1.27.1\n');
    await ensure();
    expect(await builds()).toBe(2);
  });

  it('does not build again for a touched file, another place or another file beside them', async () => {
    const first = await ensure();
    const later = new Date(Date.now() + 60_000);
    await utimes(join(module, 'go.sum'), later, later);
    await writeFile(join(module, 'notes.txt'), 'x');
    expect(await ensure()).toBe(first);
    const moved = join(folder, 'moved');
    await run('cp', ['-r', module, moved]);
    module = moved;
    expect(await ensure()).toBe(first);
    expect(await builds()).toBe(1);
  });

  it('says what to install when Go is too old', async () => {
    await writeFile(join(tools, 'version'), 'go1.9.7\n');
    await expect(ensure()).rejects.toThrow(/needs Go 1\.26\.0; here is go1\.9\.7[^]*Install Go[^]*KUBEBUILDER_ASSETS/);
  });

  it('says what to install when Go is missing', async () => {
    vi.stubEnv('PATH', join(folder, 'nothing'));
    await expect(ensure()).rejects.toThrow(/no `go` in PATH[^]*Install Go 1\.26\.0[^]*KUBEBUILDER_ASSETS/);
  });

  it('shows what Go said when the build fails', async () => {
    await writeFile(join(tools, 'go'), FAKE_GO.replace('echo a >&2;', 'echo "main.go:1: broken" >&2; exit 1;'));
    await expect(ensure()).rejects.toThrow(/main\.go:1: broken/);
  });
});

describe('findComponents', () => {
  async function assets(...names: string[]): Promise<string> {
    const path = join(folder, 'assets');
    await mkdir(path);
    for (const name of names) await writeFile(join(path, name), '');
    return path;
  }

  it('uses what is in KUBEBUILDER_ASSETS, and builds nothing then', async () => {
    const path = await assets('etcd', 'kube-apiserver', 'kubectl');
    const found = await findComponents(['etcd', 'kube-apiserver'], {}, { KUBEBUILDER_ASSETS: path });
    expect([...found.paths.values()]).toEqual([join(path, 'etcd'), join(path, 'kube-apiserver')]);
    expect(found.note).toBeUndefined();
    expect(existsSync(join(tools, 'calls'))).toBe(false);
  });

  it('takes from the built control plane what KUBEBUILDER_ASSETS lacks, and says so', async () => {
    const path = await assets('etcd', 'kube-apiserver');
    const options = { folder: join(folder, 'cache'), onProgress: () => undefined };
    const wanted = ['kube-apiserver', 'kube-controller-manager'] as const;
    const found = await findComponents(wanted, options, { KUBEBUILDER_ASSETS: path });
    expect(found.paths.get('kube-apiserver')).toBe(join(path, 'kube-apiserver'));
    expect(found.paths.get('kube-controller-manager')).toMatch(/cache.control-plane.*kube-controller-manager$/);
    expect(found.note).toBe('KUBEBUILDER_ASSETS has no kube-controller-manager: the built one is used');
  });

  it('refuses KUBEBUILDER_ASSETS without an API server', async () => {
    const path = await assets('etcd');
    const finding = findComponents(['etcd'], {}, { KUBEBUILDER_ASSETS: path });
    await expect(finding).rejects.toThrow(/there is no kube-apiserver/);
  });

  it('says both when KUBEBUILDER_ASSETS lacks a part and there is no Go', async () => {
    const path = await assets('etcd', 'kube-apiserver');
    vi.stubEnv('PATH', join(folder, 'nothing'));
    const finding = findComponents(['kube-scheduler'], {}, { KUBEBUILDER_ASSETS: path });
    await expect(finding).rejects.toThrow(/there is no kube-scheduler[^]*no `go` in PATH/);
  });
});
