import { app } from '@azure/functions';
import { azureHttp, azureObjects, azureSchedules, azureWork } from '../src/functions/adapters/azure.ts';
import { api } from '../src/functions/handlers/api.ts';
import { replicate } from '../src/functions/handlers/replicate.ts';
import { work } from '../src/functions/handlers/work.ts';
import { processSurroundings } from '../src/functions/process-surroundings.ts';

const surroundings = processSurroundings({ api: () => import('../src/functions/open-api.ts'), worker: () => import('../src/functions/open-worker.ts') });

// Tokens are verified by the handlers: a key of the function app would be one more secret.
const authLevel = 'anonymous';

for (const { name, schedule, handler } of await azureSchedules(surroundings)) app.timer(name, { schedule, handler });
app.timer('work', { schedule: '0 * * * * *', handler: azureWork('work', work, surroundings) });
app.eventGrid('replicate', { handler: azureObjects('replicate', replicate, surroundings) });
app.http('restore', { methods: ['POST'], authLevel, route: 'v1/restores/{*rest}', handler: azureHttp(api, surroundings) });
app.http('status', { methods: ['GET'], authLevel, route: 'v1/{*rest}', handler: azureHttp(api, surroundings) });
