import { onRequest } from '../src/functions/adapters/lambda-http.ts';
import { api } from '../src/functions/handlers/api.ts';

export const handler = onRequest('status', api);
