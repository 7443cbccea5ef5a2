import { onObjects } from '../src/functions/adapters/lambda.ts';
import { replicate } from '../src/functions/handlers/replicate.ts';

export const handler = onObjects('replicate', replicate);
