import type { CacheOptions } from './cache.ts';
import { findComponents } from './kubernetes/components.ts';

/**
 * Builds or installs whatever the tests start and is not in the cache yet, showing how it goes. Takes minutes the
 * first time and nothing after. Throws a `TestbedError` that says what to install when something is missing.
 */
export async function ensureTestbed(options: CacheOptions = {}): Promise<void> {
  await findComponents(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'], options);
}
