import { messageOf } from '../../src/core/errors.ts';
import { openQueue } from '../../src/queue/index.ts';
import { TestbedError } from '../testbed/errors.ts';
import { startPostgres } from '../testbed/queue/postgres.ts';
import { queueContract } from './contract.ts';

queueContract('PostgreSQL', async () => {
  try {
    const server = await startPostgres();
    return { open: () => openQueue({ type: 'postgres', url: server.url }), [Symbol.asyncDispose]: () => server.stop() };
  } catch (error) {
    if (error instanceof TestbedError) return messageOf(error);
    throw error;
  }
});
