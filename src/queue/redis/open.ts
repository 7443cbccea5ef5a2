import { createRedisBackend } from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { LifeboatError } from '../../core/errors.ts';
import type { Backend } from '../backend.ts';
import { calling, queueError } from '../errors.ts';
import type { RedisSettings } from '../settings.ts';
import { judgeServer } from './settings.ts';

const CONNECT_MS = 10_000;
/** Between tries to connect again, at most: a server that restarted is found again in a moment. */
const RECONNECT_MS = 1_000;

/**
 * Connects to Redis or Valkey. Rejects at once when it does not answer or refuses, and with `LB_QUEUE_UNSUITABLE` when jobs are not
 * safe on it. A connection that is lost later is made again, for ever.
 */
export async function openRedis(settings: RedisSettings): Promise<Backend> {
  const url = parseUrl(settings.url);
  const where = url.host;
  const state = { opened: false };
  const client = connectWith(settings, url, state);
  let trouble: unknown;
  // Without somebody who listens, an error of a connection would end this process.
  client.on('error', (error: unknown) => {
    trouble = error;
  });
  try {
    await calling(where, () => client.connect(), 2 * CONNECT_MS);
    const info = await calling(where, () => client.info());
    const { product, warnings } = judgeServer(info, where);
    state.opened = true;
    return {
      product,
      where,
      warnings,
      // In braces, so that all keys are in one slot of a cluster: each command of the queue takes several.
      prefix: `{${settings.prefix ?? 'lifeboat'}}`,
      named: (queue) => queue,
      activeInOrder: true,
      factory: (name, options, how) => createRedisBackend(name, { ...options, connection: client }, how),
      close: async () => {
        client.disconnect();
      },
    };
  } catch (error) {
    client.disconnect();
    // What the connection itself reported says more than that it was closed.
    const better = queueError(trouble, where);
    throw better instanceof LifeboatError && !(error instanceof LifeboatError && error.code !== 'LB_QUEUE_UNAVAILABLE') ? better : error;
  }
}

function connectWith(settings: RedisSettings, url: URL, state: { readonly opened: boolean }): Redis | Cluster {
  const password = settings.password ?? decodeURIComponent(url.password);
  const username = decodeURIComponent(url.username);
  const retry = (times: number): number | null => (state.opened ? Math.min(100 * times, RECONNECT_MS) : null);
  const options = {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // Workers wait for a server that is away. Calls of others end by `calling`.
    maxRetriesPerRequest: null,
    retryStrategy: retry,
    ...(password === '' ? {} : { password }),
    ...(username === '' ? {} : { username }),
    ...(url.pathname.length > 1 ? { db: Number(url.pathname.slice(1)) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: { servername: url.hostname } } : {}),
  } satisfies RedisOptions;
  if (settings.sentinel !== undefined) {
    const sentinels = settings.sentinel.addresses.map((address) => {
      const at = new URL(`redis://${address}`);
      return { host: at.hostname, port: Number(at.port || 26_379) };
    });
    return new Redis({ ...options, sentinels, name: settings.sentinel.name, sentinelRetryStrategy: retry });
  }
  const node = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) };
  if (settings.cluster === true) {
    return new Cluster([node], { lazyConnect: true, redisOptions: options, clusterRetryStrategy: retry, slotsRefreshTimeout: CONNECT_MS });
  }
  return new Redis({ ...options, ...node });
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw new LifeboatError('LB_CONFIG_INVALID', 'The URL of the queue is not one of Redis.', { hint: 'Write `redis://host:6379`, or `rediss://` for TLS.' });
  }
  return url;
}
