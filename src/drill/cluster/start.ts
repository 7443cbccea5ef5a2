import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../../core/errors.ts';
import { connectSite } from '../../site/connect.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { openOwnedFolder } from '../keeper/owned-folder.ts';
import type { OwnedFolder, OwnedProcess } from '../keeper/owned-folder.ts';
import { findAssets } from './assets.ts';
import type { Assets } from './assets.ts';
import { writeClusterFiles } from './files.ts';
import type { ClusterFiles } from './files.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags } from './flags.ts';
import type { ClusterPorts } from './flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { Login } from './kubeconfig.ts';
import { freePorts } from './ports.ts';
import { waitForApiServer, waitForControllers } from './ready.ts';

export interface ControlPlaneOptions {
  /** A folder with the programs, laid out as envtest does. Default: `KUBEBUILDER_ASSETS`, else `/usr/local/kubebuilder/bin`. */
  readonly assets?: string | undefined;
  /** In it the control plane gets a folder of its own. Default: the system's folder for temporary files. */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A Kubernetes control plane on loopback that is thrown away. It does not outlive the process that started it. */
export interface ControlPlane extends AsyncDisposable {
  /** What its context is called. */
  readonly name: string;
  /** `https://127.0.0.1:12345`. */
  readonly url: string;
  /** Holds everything of it, readable for its user only, and is removed with it. */
  readonly owned: OwnedFolder;
  /** The admin's kubeconfig in that folder. */
  readonly kubeconfig: string;
  /** Programs that could have been run and were not there. */
  readonly notRun: readonly string[];
  /** The folder its programs came from. */
  readonly assets: string;
  /** A connection as its admin. It is closed with the control plane. */
  readonly connection: SiteConnection;
  /** Ends everything and removes the folder. May be called again. */
  close(): Promise<void>;
}

const NAME = 'lifeboat-drill';
const ATTEMPTS = 5;

/**
 * Starts etcd, an API server and, if its program is there, a controller manager, on free ports of loopback with certificates of their own,
 * and gives them when they are ready. There is no scheduler and no kubelet, so no container ever runs; and the API server can
 * reach nothing but its etcd: no webhook, no aggregated API, no service. When this process ends, in whatever way, processes
 * and folder are gone a moment later.
 *
 * Throws `LB_DRILL_ASSETS`, `LB_DRILL_CLUSTER` with the log of what failed, or the signal's reason; nothing is left then.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { signal } = options;
  signal?.throwIfAborted();
  const assets = await findAssets(options.assets);
  for (let attempt = 1; ; attempt += 1) {
    const owned = await openOwnedFolder('drill', options.folder);
    const starting = new Starting(owned, assets);
    try {
      return await starting.start(signal);
    } catch (error) {
      const taken = await starting.foundPortTaken();
      await starting.close();
      signal?.throwIfAborted();
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

class Starting {
  readonly #owned: OwnedFolder;
  readonly #assets: Assets;
  readonly #processes: OwnedProcess[] = [];
  #connection: SiteConnection | undefined;

  constructor(owned: OwnedFolder, assets: Assets) {
    this.#owned = owned;
    this.#assets = assets;
  }

  async start(signal: AbortSignal | undefined): Promise<ControlPlane> {
    const { etcd, apiServer, controllerManager, folder } = this.#assets;
    const files = await writeClusterFiles(this.#owned.path);
    const ports = await choosePorts();
    const url = `https://127.0.0.1:${ports.apiServer}`;
    const admin = await this.#writeKubeconfig('kubeconfig', files, url, 'admin', { token: files.adminToken });
    await this.#run('etcd', etcd, etcdFlags(this.#owned.path, files, ports));
    await this.#run('kube-apiserver', apiServer, apiServerFlags(files, ports, { closed: true }));
    const connection = await connectSite({ name: 'drill', kubeconfig: admin });
    this.#connection = connection;
    await waitForApiServer(connection, this.#processes, signal);
    if (controllerManager !== undefined) {
      const login = files.authority.issue({ commonName: 'system:kube-controller-manager', usage: 'client' });
      const own = await this.#writeKubeconfig('kubeconfig-controllers', files, url, 'system:kube-controller-manager', login);
      await this.#run('kube-controller-manager', controllerManager, controllerManagerFlags(files, own));
      await waitForControllers(connection, this.#processes, signal);
    }
    const close = (): Promise<void> => this.close();
    return {
      name: NAME,
      url,
      owned: this.#owned,
      kubeconfig: admin,
      notRun: ['kube-scheduler', 'kubelet', ...(controllerManager === undefined ? ['kube-controller-manager'] : [])],
      assets: folder,
      connection,
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** Whether a part ended because another process was quicker to use a port that had been free. */
  async foundPortTaken(): Promise<boolean> {
    for (const process of this.#processes) {
      if (process.end !== undefined && /address already in use/i.test(await process.logTail())) return true;
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    await this.#owned.close();
  }

  async #run(name: string, command: string, args: readonly string[]): Promise<void> {
    try {
      this.#processes.push(await this.#owned.start({ name, command, args }));
    } catch (error) {
      throw new LifeboatError('LB_DRILL_CLUSTER', `${name} cannot be started`, { where: command, cause: error });
    }
  }

  async #writeKubeconfig(file: string, files: ClusterFiles, url: string, user: string, login: Login): Promise<string> {
    const path = join(this.#owned.path, file);
    await writeFile(path, kubeconfig(NAME, url, files.authority.certificate, user, login), { mode: 0o600 });
    return path;
  }
}

async function choosePorts(): Promise<ClusterPorts> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0] = await freePorts(3);
  return { etcd, etcdPeer, apiServer };
}
