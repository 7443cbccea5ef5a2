import { onSchedule } from '../src/functions/adapters/lambda.ts';
import { scheduled } from '../src/functions/handlers/scheduled.ts';

export const handler = onSchedule('verify', scheduled('verify'));
