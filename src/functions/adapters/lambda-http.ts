import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { awsHttp } from '../events/aws.ts';
import type { HttpHandler } from '../handlers/handler.ts';
import { processSurroundings } from '../process-surroundings.ts';
import { guarded } from './lambda.ts';
import type { Lambda } from './lambda.ts';

/** A function behind an HTTP API. */
export function onRequest(name: string, handler: HttpHandler): Lambda<APIGatewayProxyStructuredResultV2> {
  const surroundings = processSurroundings({ api: () => import('../open-api.ts') });
  return guarded(name, surroundings, async (event) => {
    const { status, headers, body } = await handler(awsHttp(event), surroundings);
    return { statusCode: status, headers, body };
  });
}
