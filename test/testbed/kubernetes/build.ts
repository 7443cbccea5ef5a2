import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedArtifact } from '../cache.ts';
import type { CacheOptions, ReportStep } from '../cache.ts';
import { TestbedError } from '../errors.ts';
import { run } from '../run.ts';
import { goPlatform } from '../tools.ts';

/** What the one binary holds; it runs the part by whose name it is called. */
export const COMPONENTS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kubectl',
] as const;
export type Component = (typeof COMPONENTS)[number];

const KUBERNETES_VERSION = 'v1.36.3';
const MODULE = fileURLToPath(new URL('controlplane', import.meta.url));
const SOURCES = ['main.go', 'go.mod', 'go.sum'] as const;

/** Without these, the components say that they are `v0.0.0-master`, and clients judge what they can by that. */
function versionFlags(): string {
  const [major = '', minor = ''] = KUBERNETES_VERSION.slice(1).split('.');
  const settings = { gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((target) => Object.entries(settings).map(([name, value]) => `-X ${target}.${name}=${value}`))
    .join(' ');
}

const FLAGS = ['-mod=readonly', '-buildvcs=false', '-trimpath', `-ldflags=-s -w ${versionFlags()}`] as const;
/** The user's other settings, such as where modules come from, are left as they are. */
const ENV = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' } as const;

export interface ControlPlaneOptions extends CacheOptions {
  /** The folder of the Go module; the testbed's own if not given. */
  readonly module?: string;
}

/**
 * A folder with `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet` and `kubectl` laid
 * out as envtest does. Built from the Go module proxy when it is not in the cache, which takes minutes; the cache
 * knows it by the content of its sources, the flags, the Go version and the platform.
 * Throws a `TestbedError` that says what to install when Go is missing or too old.
 */
export async function ensureControlPlane(options: ControlPlaneOptions = {}): Promise<string> {
  const { module = MODULE } = options;
  const sources = await Promise.all(SOURCES.map(async (name) => await readFile(join(module, name), 'utf8')));
  const platform = await usableGo(module, sources[1] ?? '');
  return await cachedArtifact(
    {
      name: 'control plane',
      key: [...sources, ...FLAGS, JSON.stringify(ENV), ...platform],
      build: async (dir, report, signal) => await build(module, dir, report, signal),
    },
    options,
  );
}

async function usableGo(module: string, goMod: string): Promise<string[]> {
  const needed = neededGo(goMod);
  const hint =
    `Install Go ${needed} or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder with the ` +
    'Kubernetes components: setup-envtest makes one with etcd, kube-apiserver and kubectl.';
  const platform = await goPlatform(module).catch((error: unknown) => {
    if (!(error instanceof TestbedError)) throw error;
    throw new TestbedError(`The testbed's Kubernetes control plane is built with Go. ${error.message}`, { hint });
  });
  const [version = ''] = platform;
  if (!isAtLeast(version.replace(/^go/, ''), needed)) {
    throw new TestbedError(`The testbed's Kubernetes control plane needs Go ${needed}; here is ${version}.`, { hint });
  }
  return platform;
}

function neededGo(goMod: string): string {
  return /^go (\S+)$/m.exec(goMod)?.[1] ?? '';
}

/** Compares major and minor version; a Go that is new enough for these knows how to get a newer patch. */
function isAtLeast(version: string, needed: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number.parseFloat);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

async function build(
  module: string,
  dir: string,
  report: ReportStep,
  signal: AbortSignal | undefined,
): Promise<void> {
  const options = { cwd: module, env: ENV, ...(signal ? { signal } : {}) };

  report('getting the modules');
  let downloaded = 0;
  const onDownload = (line: string): void => {
    if (line.startsWith('go: downloading')) report('getting the modules', `${(downloaded += 1)} downloaded`);
  };
  const packages = await run('go', ['list', '-mod=readonly', '-deps', '.'], { ...options, onLine: onDownload });
  const total = packages.trim().split('\n').length.toLocaleString('en');

  report('compiling');
  let compiled = 0;
  const onCompile = (): void => {
    compiled += 1;
    report('compiling', `${compiled.toLocaleString('en')} of at most ${total} packages`);
  };
  const target = join(dir, 'controlplane');
  await run('go', ['build', '-v', ...FLAGS, '-o', target, '.'], { ...options, onLine: onCompile });
  for (const name of COMPONENTS) await symlink('controlplane', join(dir, name));
}
