import { onWork } from '../src/functions/adapters/lambda-work.ts';
import { work } from '../src/functions/handlers/work.ts';

export const handler = onWork('work', work);
