import { readFile } from 'node:fs/promises';
import type { ControlPlaneOptions } from './cluster/start.ts';
import { startControlPlane } from './cluster/start.ts';
import type { DrillTarget } from './target.ts';

/** Any token in a kubeconfig of ours. */
const TOKEN = /^\s*token: (\S+)$/m;

/** Starts a control plane for one drill. Throws as `startControlPlane`. */
export async function ownTarget(options: ControlPlaneOptions, mark: string): Promise<DrillTarget> {
  const plane = await startControlPlane(options);
  const token = TOKEN.exec(await readFile(plane.kubeconfig, 'utf8'))?.[1];
  return {
    kind: 'control-plane',
    name: plane.name,
    connection: plane.connection,
    kubeconfig: plane.kubeconfig,
    folder: plane.owned,
    drill: { spare: false, mark },
    notRun: plane.notRun,
    secrets: token === undefined ? [] : [token],
    // Whatever the new cluster has made by itself is brought to what the point has.
    options: () => Promise.resolve({ existing: 'update' }),
    check: () => undefined,
    notChecked: [],
    async remove() {
      await plane.close();
      return true;
    },
    close: () => plane.close(),
  };
}
