import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { TestbedError } from '../errors.ts';
import { ensureControlPlane } from './build.ts';
import type { Component } from './build.ts';

/** Where the wanted components are. */
export interface Components {
  readonly paths: ReadonlyMap<Component, string>;
  /** Said when a part came from another place than the user might think. */
  readonly note: string | undefined;
}

/**
 * Finds the wanted components: in `KUBEBUILDER_ASSETS` when that is set, and those it lacks (envtest has no
 * controller manager and no scheduler) in the control plane that the testbed builds; all in that one otherwise.
 * Throws a `TestbedError` when `KUBEBUILDER_ASSETS` holds no API server and etcd, or the build is impossible.
 */
export async function findComponents(
  wanted: readonly Component[],
  options: CacheOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Components> {
  const setting = env['KUBEBUILDER_ASSETS'] ?? '';
  const assets = setting === '' ? '' : resolve(setting);
  const paths = new Map<Component, string>();
  if (assets !== '') {
    for (const name of wanted) if (existsSync(join(assets, name))) paths.set(name, join(assets, name));
    for (const name of ['etcd', 'kube-apiserver'] as const) {
      if (existsSync(join(assets, name))) continue;
      throw new TestbedError(`KUBEBUILDER_ASSETS is ${assets}, where there is no ${name}.`, {
        hint: 'Point it to a folder that setup-envtest made, or unset it to have a control plane built.',
      });
    }
  }
  const missing = wanted.filter((name) => !paths.has(name));
  if (missing.length === 0) return { paths, note: undefined };
  const built = await ensureControlPlane(options).catch((error: unknown) => {
    if (assets === '' || !(error instanceof TestbedError)) throw error;
    throw new TestbedError(`KUBEBUILDER_ASSETS is ${assets}, where there is no ${missing.join(', ')}.`, {
      hint: `What is missing there is built, and that failed: ${error.message}`,
      cause: error,
    });
  });
  for (const name of missing) paths.set(name, join(built, name));
  const note = assets === '' ? undefined : `KUBEBUILDER_ASSETS has no ${missing.join(', ')}: the built one is used`;
  return { paths, note };
}
