import { cloudEvent, http } from '@google-cloud/functions-framework';
import { googleHttp, googleObjects, googleSchedule, googleWork } from '../src/functions/adapters/google.ts';
import { api } from '../src/functions/handlers/api.ts';
import { replicate } from '../src/functions/handlers/replicate.ts';
import { SCHEDULED_KINDS, scheduled } from '../src/functions/handlers/scheduled.ts';
import { work } from '../src/functions/handlers/work.ts';
import { processSurroundings } from '../src/functions/process-surroundings.ts';

const surroundings = processSurroundings({ api: () => import('../src/functions/open-api.ts'), worker: () => import('../src/functions/open-worker.ts') });

for (const kind of SCHEDULED_KINDS) cloudEvent(kind, googleSchedule(kind, scheduled(kind), surroundings));
cloudEvent('replicate', googleObjects('replicate', replicate, surroundings));
http('restore', googleHttp(api, surroundings));
http('status', googleHttp(api, surroundings));
http('work', googleWork('work', work, surroundings));
