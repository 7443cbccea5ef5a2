import { functionServer } from '../src/functions/adapters/http-server.ts';
import { processSurroundings } from '../src/functions/process-surroundings.ts';

const { PORT = '8080', HOST = '127.0.0.1' } = process.env;
const server = functionServer(processSurroundings({ api: () => import('../src/functions/open-api.ts'), worker: () => import('../src/functions/open-worker.ts') })).listen(Number(PORT), HOST);

// What is under way is finished; the platform ends what takes too long.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => server.close(() => process.exit()));
