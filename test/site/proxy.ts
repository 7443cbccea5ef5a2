import { readFile } from 'node:fs/promises';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { FaultProxy } from '../testbed/fault-proxy.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

/** A proxy in front of a site's API server that can do harm. It serves the API server's own certificate. */
export async function proxyBefore(site: Site): Promise<FaultProxy> {
  const [upstreamCa = '', cert = '', key = ''] = await Promise.all([site.caFile, site.certFile, site.keyFile].map((path) => readFile(path, 'utf8')));
  return startFaultProxy({ upstream: site.url, upstreamCa, tls: { cert, key } });
}
