import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { queueError } from '../../src/queue/errors.ts';
import { openQueue } from '../../src/queue/index.ts';
import type { QueueSettings } from '../../src/queue/index.ts';
import { judgeServer } from '../../src/queue/redis/settings.ts';
import { TestbedError } from '../testbed/errors.ts';
import { startPostgres } from '../testbed/queue/postgres.ts';
import type { QueueServer } from '../testbed/queue/server.ts';
import { startValkey } from '../testbed/queue/valkey.ts';
import { done, job, untilState, work } from './working.ts';

/** What opening the queue ends with: the code, and everything that is said. */
async function opening(settings: QueueSettings): Promise<{ code: unknown; said: string }> {
  try {
    await using queue = await openQueue(settings);
    return { code: 'opened', said: JSON.stringify(queue.warnings) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return { code, said: `${String(error)} ${JSON.stringify(error)}` };
  }
}

describe('a server of the queue', () => {
  it('that keeps an append-only file and evicts nothing is opened without a word', async () => {
    await using server = await startValkey({ appendOnly: true, password: 's3cret-with-@-and-/' });
    const { host } = new URL(server.url);
    expect((await opening({ type: 'redis', url: server.url })).code).toBe('opened');
    await using queue = await openQueue({ type: 'redis', url: `redis://${host}`, password: 's3cret-with-@-and-/' });
    expect(queue.warnings).toEqual([]);
    expect(queue.product).toMatch(/^Valkey \d+\.\d+\.\d+$/);
    const refused = await opening({ type: 'redis', url: `redis://${host}`, password: 'not-the-password' });
    expect(refused.code).toBe('LB_QUEUE_ACCESS');
    expect(refused.said).not.toContain('not-the-password');
    expect((await opening({ type: 'redis', url: `redis://${host}` })).code).toBe('LB_QUEUE_ACCESS');
  });

  it('that cannot be reached, or refuses, is named with what to do', () => {
    const errors = [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), new Error('WRONGPASS invalid username-password pair or user is disabled.')];
    expect(errors.map((error) => queueError(error, 'here'))).toEqual([
      expect.objectContaining({ code: 'LB_QUEUE_UNAVAILABLE', where: 'here', hint: expect.stringContaining('Look whether its server runs') as string }),
      expect.objectContaining({ code: 'LB_QUEUE_ACCESS', message: 'The queue refused: WRONGPASS invalid username-password pair or user is disabled.', hint: expect.stringContaining('user and password') as string }),
    ]);
  });

  it('that evicts keys is refused, and one that keeps no file is warned of', async () => {
    await using evicting = await startValkey({ settings: { 'maxmemory-policy': 'volatile-lru' } });
    expect(await opening({ type: 'redis', url: evicting.url })).toMatchObject({ code: 'LB_QUEUE_UNSUITABLE', said: expect.stringContaining('volatile-lru') as string });
    await using forgetful = await startValkey();
    expect(await opening({ type: 'redis', url: forgetful.url })).toMatchObject({ code: 'opened', said: expect.stringContaining('append-only') as string });
  });

  it('is judged by what it says, and what it does not say is told', () => {
    const judge = (info: string) => judgeServer(info.replaceAll(' ', '\r\n'), 'here');
    expect(judge('redis_version:7.0.15 maxmemory_policy:noeviction aof_enabled:1')).toEqual({ product: 'Redis 7.0.15', warnings: [] });
    expect(judge('redis_version:7.2.4 valkey_version:8.1.0 maxmemory_policy:noeviction aof_enabled:1').product).toBe('Valkey 8.1.0');
    expect(judge('redis_version:7.0.15').warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('could not be checked'),
      expect.stringContaining('append-only'),
    ]);
    expect(() => judge('redis_version:6.0.16 maxmemory_policy:noeviction')).toThrow('6.2.0 is the oldest');
    expect(() => judge('redis_version:7.0.0 maxmemory_policy:allkeys-lru')).toThrow('allkeys-lru');
  });

  it('that is full refuses jobs with a code', async () => {
    await using server = await startValkey({ settings: { maxmemory: '3mb', 'maxmemory-policy': 'noeviction' } });
    await using queue = await openQueue({ type: 'redis', url: server.url });
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 1000; i += 1) await queue.add(job(`f${i}`, { data: 'x'.repeat(16_000) }));
    };
    await expect(fill()).rejects.toMatchObject({ code: 'LB_QUEUE_FULL', retriable: true });
  });

  it('that is not there, or says nothing, is told at once', async () => {
    // Nobody listens on the first of all ports; one that is free may be somebody's a moment later.
    expect((await opening({ type: 'redis', url: 'redis://127.0.0.1:1' })).code).toBe('LB_QUEUE_UNAVAILABLE');
    expect((await opening({ type: 'postgres', url: 'postgresql://u:p@127.0.0.1:1/x' })).code).toBe('LB_QUEUE_UNAVAILABLE');
    expect((await opening({ type: 'redis', url: 'http://x' })).code).toBe('LB_CONFIG_INVALID');
    expect((await opening({ type: 'postgres', url: 'redis://x' })).code).toBe('LB_CONFIG_INVALID');
    // It hangs up on everybody.
    const rude = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const { port: rudePort } = rude.address() as AddressInfo;
    expect((await opening({ type: 'redis', url: `redis://127.0.0.1:${rudePort}` })).code).toBe('LB_QUEUE_UNAVAILABLE');
    rude.close();
  });

  it('that goes away later is waited for by workers, while calls end with a code', async () => {
    await using server = await startValkey({ appendOnly: true });
    await using queue = await openQueue({ type: 'redis', url: server.url });
    const worker = work(queue, done);
    await queue.add(job('before'));
    await untilState(queue, 'before', 'done');
    await server.freeze();
    await expect(queue.add(job('while'))).rejects.toMatchObject({ code: 'LB_QUEUE_UNAVAILABLE' });
    await server.thaw();
    await queue.add(job('after'));
    await untilState(queue, 'after', 'done');
    // Nobody who wants to end has to wait for it.
    await server.kill();
    await worker.stop();
    await queue.close();
  });

  it('may be one node of a cluster', async () => {
    await using server = await startValkey({ appendOnly: true, cluster: true });
    await using queue = await openQueue({ type: 'redis', url: server.url, cluster: true });
    await using _worker = work(queue, done);
    await queue.addSequence([job('first'), job('second')]);
    await untilState(queue, 'second', 'done');
  });

  it('on PostgreSQL refuses a wrong password with a code, and does not repeat it', async (ctx) => {
    const started = await startPostgres().catch((error: unknown) => {
      if (error instanceof TestbedError) return error.message;
      throw error;
    });
    if (typeof started === 'string') return ctx.skip(started);
    await using server: QueueServer = started;
    const refused = await opening({ type: 'postgres', url: server.url, password: 'not-the-password' });
    expect(refused.code).toBe('LB_QUEUE_ACCESS');
    expect(refused.said).not.toContain('not-the-password');
    await using queue = await openQueue({ type: 'postgres', url: server.url });
    expect([queue.product.slice(0, 10), queue.warnings]).toEqual(['PostgreSQL', []]);
    // Another lifeboat may have the same database.
    await using neighbour = await openQueue({ type: 'postgres', url: server.url, prefix: 'neighbour' });
    await neighbour.addSequence([job('theirs-1'), job('theirs-2')]);
    await queue.add(job('ours'));
    await using _worker = work(neighbour, done);
    await untilState(neighbour, 'theirs-2', 'done');
    expect([await queue.status('theirs-2'), (await queue.status('ours'))?.state]).toEqual([undefined, 'waiting']);
    return undefined;
  });
});
