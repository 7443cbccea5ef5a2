import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestbedError } from '../errors.ts';
import { openOwnedFolder } from '../../../src/drill/keeper/owned-folder.ts';
import type { OwnedFolder, OwnedProcess } from '../../../src/drill/keeper/owned-folder.ts';
import { freePorts } from '../../../src/drill/cluster/ports.ts';
import type { OnBuildProgress } from '../progress.ts';
import { ApiClient } from './api.ts';
import type { Component } from './build.ts';
import { findComponents } from './components.ts';
import type { Components } from './components.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, schedulerFlags } from '../../../src/drill/cluster/flags.ts';
import type { ClusterPorts } from '../../../src/drill/cluster/flags.ts';
import { kubeconfig } from '../../../src/drill/cluster/kubeconfig.ts';
import type { Login } from '../../../src/drill/cluster/kubeconfig.ts';
import { waitForApiServer, waitForControllers } from './ready.ts';
import { writeClusterFiles } from '../../../src/drill/cluster/files.ts';
import type { ClusterFiles } from '../../../src/drill/cluster/files.ts';

export interface SiteOptions {
  /** Names the context in its kubeconfigs. Lower-case letters, digits and `-`. Something random if not given. */
  readonly name?: string;
  /**
   * Run the controller manager; true if not said. Without it nothing happens by itself: no service accounts,
   * no garbage collection.
   */
  readonly controllers?: boolean;
  /** Run the scheduler; false if not said. There are no nodes, so all it can say is that a pod fits nowhere. */
  readonly scheduler?: boolean;
  /** Write one line a request to `auditLogFile`. */
  readonly auditLog?: boolean;
  /** Added to the flags; the last of equal flags counts. */
  readonly etcdArgs?: readonly string[];
  readonly apiServerArgs?: readonly string[];
  /** Told how the build goes when the control plane is not in the cache yet. */
  readonly onProgress?: OnBuildProgress;
  /** Stops the start; nothing is left then. */
  readonly signal?: AbortSignal;
}

/** A part of a site that is a process. */
export type SiteComponent = Exclude<Component, 'kubelet' | 'kubectl'>;

/** A running Kubernetes control plane on loopback. It does not outlive the process that started it. */
export interface Site extends AsyncDisposable {
  readonly name: string;
  /** `https://127.0.0.1:12345`. The certificate is valid for `localhost` too. */
  readonly url: string;
  /** Holds everything of the site, and is removed with it. */
  readonly folder: string;
  /** The admin's: may do everything. */
  readonly kubeconfigPath: string;
  readonly adminToken: string;
  /** PEM files: the authority to trust; and the API server's own, for a proxy that ends TLS in front of it. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly auditLogFile: string | undefined;
  /** A client that is the admin. */
  readonly api: ApiClient;
  /** The process numbers of what runs. */
  readonly pids: Readonly<Partial<Record<SiteComponent, number>>>;
  /** Said when parts came from another place than `KUBEBUILDER_ASSETS`. */
  readonly note: string | undefined;

  /** The path of a new kubeconfig for any user, by client certificate: RBAC says what user and groups may do. */
  kubeconfigFor(who: { readonly user: string; readonly groups?: readonly string[] }): Promise<string>;
  /** The path of a new kubeconfig for a service account that exists, by a token that is valid for an hour. */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>;
  /** The path of a new kubeconfig of the admin for another address of this API server, such as that of a proxy. */
  kubeconfigVia(url: string): Promise<string>;
  /** The last lines a part logged. */
  log(component: SiteComponent, lines?: number): Promise<string>;

  /** Ends the API server with SIGKILL. */
  killApiServer(): Promise<void>;
  /** Starts it again on the same port with the same data, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Stops the API server without ending it: connections stay open and nothing is answered. */
  pauseApiServer(): Promise<void>;
  /** Lets a paused API server go on. */
  resumeApiServer(): Promise<void>;
  /** Ends everything with SIGKILL at once and removes the folder: the site is lost. */
  kill(): Promise<void>;
  /** The same as `kill`: nothing of a testbed's site needs an orderly end. */
  stop(): Promise<void>;
}

const ATTEMPTS = 5;
/** Collecting garbage at each doubling of the heap takes a fifth of the processor's time of a short-lived control plane. */
const FEWER_COLLECTIONS = { GOGC: '400' };

/**
 * Starts a control plane, and gives it when it is ready: when its API server says so, and with controllers when
 * those have filled the namespaces that every cluster has. Any number may run side by side.
 * Throws a `TestbedError` that shows the log of what failed, or the signal's reason.
 */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const name = options.name ?? `site-${randomBytes(3).toString('hex')}`;
  const { controllers = true, scheduler = false, onProgress, signal } = options;
  signal?.throwIfAborted();
  const wanted: Component[] = ['etcd', 'kube-apiserver'];
  if (controllers) wanted.push('kube-controller-manager');
  if (scheduler) wanted.push('kube-scheduler');
  const components = await findComponents(wanted, { ...(onProgress && { onProgress }), ...(signal && { signal }) });
  for (let attempt = 1; ; attempt += 1) {
    const folder = await openOwnedFolder(name);
    const files = await writeClusterFiles(folder.path);
    const site = new RunningSite(name, folder, components, await choosePorts(), files, options);
    try {
      await site.start();
      return site;
    } catch (error) {
      const taken = await site.foundPortTaken();
      await site.stop();
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

async function choosePorts(): Promise<ClusterPorts> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0] = await freePorts(3);
  return { etcd, etcdPeer, apiServer };
}

class RunningSite implements Site {
  readonly name: string;
  readonly url: string;
  readonly folder: string;
  readonly kubeconfigPath: string;
  readonly adminToken: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly auditLogFile: string | undefined;
  readonly api: ApiClient;
  readonly note: string | undefined;

  readonly #owned: OwnedFolder;
  readonly #components: Components;
  readonly #ports: ClusterPorts;
  readonly #files: ClusterFiles;
  readonly #options: SiteOptions;
  readonly #processes = new Map<SiteComponent, OwnedProcess>();
  #kubeconfigs = 0;

  constructor(
    name: string,
    owned: OwnedFolder,
    components: Components,
    ports: ClusterPorts,
    files: ClusterFiles,
    options: SiteOptions,
  ) {
    this.name = name;
    this.url = `https://127.0.0.1:${ports.apiServer}`;
    this.folder = owned.path;
    this.kubeconfigPath = join(owned.path, 'kubeconfig');
    this.adminToken = files.adminToken;
    this.caFile = files.ca.certificate;
    this.certFile = files.server.certificate;
    this.keyFile = files.server.key;
    this.auditLogFile = options.auditLog === true ? join(owned.path, 'audit.log') : undefined;
    this.api = new ApiClient({ url: this.url, ca: files.authority.certificate, login: { token: files.adminToken } });
    this.note = components.note;
    this.#owned = owned;
    this.#components = components;
    this.#ports = ports;
    this.#files = files;
    this.#options = options;
  }

  get pids(): Partial<Record<SiteComponent, number>> {
    const running = [...this.#processes].filter(([, process]) => process.end === undefined);
    return Object.fromEntries(running.map(([name, process]) => [name, process.pid]));
  }

  async start(): Promise<void> {
    const { controllers = true, scheduler = false, etcdArgs = [], signal } = this.#options;
    await this.#writeKubeconfig('kubeconfig', 'admin', { token: this.adminToken });
    await this.#run('etcd', [...etcdFlags(this.folder, this.#files, this.#ports), ...etcdArgs]);
    await this.startApiServer();
    if (controllers) {
      const login = await this.kubeconfigFor({ user: 'system:kube-controller-manager' });
      await this.#run('kube-controller-manager', controllerManagerFlags(this.#files, login));
    }
    if (scheduler) {
      const login = await this.kubeconfigFor({ user: 'system:kube-scheduler' });
      await this.#run('kube-scheduler', schedulerFlags(login));
    }
    if (controllers) await waitForControllers(this.api, this.#processes.values(), signal);
  }

  async startApiServer(): Promise<void> {
    const { apiServerArgs = [], signal } = this.#options;
    const flags = apiServerFlags(this.#files, this.#ports, { auditLog: this.auditLogFile });
    await this.#run('kube-apiserver', [...flags, ...apiServerArgs]);
    await waitForApiServer(this.api, this.#processes.values(), signal);
  }

  async killApiServer(): Promise<void> {
    await this.#process('kube-apiserver').kill('SIGKILL');
  }

  async pauseApiServer(): Promise<void> {
    await this.#process('kube-apiserver').signal('SIGSTOP');
  }

  async resumeApiServer(): Promise<void> {
    await this.#process('kube-apiserver').signal('SIGCONT');
  }

  async kubeconfigFor(who: { readonly user: string; readonly groups?: readonly string[] }): Promise<string> {
    const login = this.#files.authority.issue({
      commonName: who.user,
      organizations: who.groups ?? [],
      usage: 'client',
    });
    return await this.#writeKubeconfig(this.#nextFile(), who.user, login);
  }

  async kubeconfigForServiceAccount(namespace: string, name: string): Promise<string> {
    const answer = await this.api.post(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 3600 },
    });
    return await this.#writeKubeconfig(this.#nextFile(), name, { token: tokenIn(answer['status']) });
  }

  async kubeconfigVia(url: string): Promise<string> {
    return await this.#writeKubeconfig(this.#nextFile(), 'admin', { token: this.adminToken }, url);
  }

  async log(component: SiteComponent, lines = 50): Promise<string> {
    return await this.#process(component).logTail(lines);
  }

  async kill(): Promise<void> {
    this.api.close();
    await this.#owned.close();
  }

  async stop(): Promise<void> {
    await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  /** Whether a part ended because another process was quicker to use a port that had been free. */
  async foundPortTaken(): Promise<boolean> {
    for (const process of this.#processes.values()) {
      if (process.end !== undefined && /address already in use/i.test(await process.logTail())) return true;
    }
    return false;
  }

  async #run(name: SiteComponent, args: readonly string[]): Promise<void> {
    const command = this.#components.paths.get(name);
    if (command === undefined) throw new TestbedError(`${name} was not looked for`);
    this.#processes.set(name, await this.#owned.start({ name, command, args, env: FEWER_COLLECTIONS }));
  }

  #process(name: SiteComponent): OwnedProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new TestbedError(`the site ${this.name} runs no ${name}`);
    return process;
  }

  #nextFile(): string {
    this.#kubeconfigs += 1;
    return `kubeconfig-${this.#kubeconfigs}`;
  }

  async #writeKubeconfig(file: string, user: string, login: Login, url = this.url): Promise<string> {
    const path = join(this.folder, file);
    const text = kubeconfig(this.name, url, this.#files.authority.certificate, user, login);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }
}

function tokenIn(status: unknown): string {
  if (typeof status === 'object' && status !== null && 'token' in status && typeof status.token === 'string') {
    return status.token;
  }
  throw new TestbedError('the API server gave no token');
}
