import { access, constants } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LifeboatError } from '../../core/errors.ts';

/** Where the programs of a control plane are. */
export interface Assets {
  readonly folder: string;
  readonly etcd: string;
  readonly apiServer: string;
  /** envtest's own folders hold none. */
  readonly controllerManager: string | undefined;
}

/** Where envtest looks when nothing else is said. Source: sigs.k8s.io/controller-runtime, pkg/internal/testing/process/bin_path_finder.go. */
const DEFAULT_FOLDER = '/usr/local/kubebuilder/bin';

/**
 * Finds the programs of a control plane in a folder laid out as envtest does: in `folder`, else in `KUBEBUILDER_ASSETS`, else in
 * `/usr/local/kubebuilder/bin`. Throws `LB_DRILL_ASSETS` when `etcd` or `kube-apiserver` is not there.
 */
export async function findAssets(folder?: string, env: NodeJS.ProcessEnv = process.env): Promise<Assets> {
  const setting = env['KUBEBUILDER_ASSETS'] ?? '';
  const chosen = resolve(folder ?? (setting === '' ? DEFAULT_FOLDER : setting));
  const find = async (name: string): Promise<string | undefined> => {
    const path = join(chosen, name);
    return access(path, constants.X_OK).then(
      () => path,
      () => undefined,
    );
  };
  const [etcd, apiServer, controllerManager] = await Promise.all(['etcd', 'kube-apiserver', 'kube-controller-manager'].map(find));
  if (etcd === undefined || apiServer === undefined) {
    const missing = [etcd === undefined ? 'etcd' : '', apiServer === undefined ? 'kube-apiserver' : ''].filter((name) => name !== '').join(' and no ');
    throw new LifeboatError('LB_DRILL_ASSETS', `There is no ${missing} to run`, {
      where: chosen,
      hint: 'Get them with `setup-envtest use`, and name the folder in KUBEBUILDER_ASSETS or in `drill.assets` of the plan; or drill into a spare site with --into.',
    });
  }
  return { folder: chosen, etcd, apiServer, controllerManager };
}
