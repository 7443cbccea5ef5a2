import { join } from 'node:path';
import { cachedArtifact } from './cache.ts';
import type { CacheOptions } from './cache.ts';
import { isSystemError, TestbedError } from './errors.ts';
import { run } from './run.ts';

/**
 * Builds a Go program from the module proxy once, and gives the path of its binary.
 * `target` is what `go install` takes: a package with an exact version.
 * Throws a `TestbedError` that says what to install when Go is missing, or what failed.
 */
export async function goTool(name: string, target: string, options: CacheOptions = {}): Promise<string> {
  const platform = await goPlatform().catch((error: unknown) => {
    if (!(error instanceof TestbedError)) throw error;
    throw new TestbedError(`${name} is built with Go. ${error.message}`, { hint: 'Install Go: https://go.dev/dl' });
  });
  const key = [target, ...platform];
  const folder = await cachedArtifact(
    {
      name,
      key,
      build: async (dir, report, signal) => {
        let seen = 0;
        report('building');
        await run('go', ['install', '-v', '-trimpath', target], {
          env: { GOBIN: dir, CGO_ENABLED: '0' },
          onLine: () => report('building', `${(seen += 1).toLocaleString('en')} modules and packages`),
          ...(signal ? { signal } : {}),
        });
      },
    },
    options,
  );
  return join(folder, binaryName(target));
}

/**
 * Version, operating system and architecture of the Go that a build in `cwd` uses.
 * Throws a `TestbedError` when there is no Go, or it does not work there.
 */
export async function goPlatform(cwd?: string): Promise<string[]> {
  try {
    const text = await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], cwd === undefined ? {} : { cwd });
    return text.trim().split('\n');
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new TestbedError('There is no `go` in PATH.', { cause: error });
  }
}

/**
 * Installs a Python package once into a folder of its own (`pip install --target`), and gives that folder.
 * `requirement` names an exact version, `name==1.2.3`; several are separated by spaces.
 * Throws a `TestbedError` that says what to install when Python is missing, or what failed.
 */
export async function pythonPackage(name: string, requirement: string, options: CacheOptions = {}): Promise<string> {
  const key = [requirement, process.platform, process.arch];
  return await cachedArtifact(
    {
      name,
      key,
      build: async (dir, report, signal) => {
        report('installing', requirement);
        const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', dir, ...requirement.split(' ')];
        try {
          await run('python3', args, signal ? { signal } : {});
        } catch (error) {
          if (!isSystemError(error, 'ENOENT')) throw error;
          throw new TestbedError(`Python is needed to install ${requirement}, and there is no \`python3\` in PATH.`, {
            hint: 'Install Python 3.9 or newer with pip.',
            cause: error,
          });
        }
      },
    },
    options,
  );
}

/**
 * Installs an npm package once into a folder of its own, with what it depends on, and gives that folder: for servers whose
 * many dependencies would outnumber the project's own. `requirement` names an exact version: `name@1.2.3`. No scripts are run.
 */
export async function npmPackage(name: string, requirement: string, options: CacheOptions = {}): Promise<string> {
  return await cachedArtifact(
    {
      name,
      key: [requirement, process.platform, process.arch],
      build: async (dir, report, signal) => {
        report('installing', requirement);
        const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
        await run('npm', ['install', '--prefix', dir, ...flags, requirement], { cwd: dir, ...(signal ? { signal } : {}) });
      },
    },
    options,
  );
}

/** `example.com/a/cmd/tool@v1.2.3` installs a binary named `tool`. */
function binaryName(target: string): string {
  return (target.split('@')[0] ?? target).split('/').at(-1) ?? target;
}
