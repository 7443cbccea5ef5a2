import { openQueue } from '../../src/queue/index.ts';
import { startValkey } from '../testbed/queue/valkey.ts';
import { queueContract } from './contract.ts';

queueContract('Valkey', async () => {
  const server = await startValkey({ appendOnly: true });
  return { open: () => openQueue({ type: 'redis', url: server.url }), [Symbol.asyncDispose]: () => server.stop() };
});
