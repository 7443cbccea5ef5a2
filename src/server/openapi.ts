import { createRoute } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { ANSWERS, REQUESTS } from './documents.ts';
import type { AppEnv } from './parts.ts';

const PATH = '/openapi.json';

/** Serves the description of everything that was added to the app before, as OpenAPI 3.1. */
export function addDocument(app: OpenAPIHono<AppEnv>, version: string): void {
  const route = createRoute({
    method: 'get',
    path: PATH,
    operationId: 'getDocument',
    tags: ['The server itself'],
    summary: 'This document',
    responses: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } } } },
  });
  let text: string | undefined;
  app.openAPIRegistry.registerPath(route);
  app.get(PATH, (context) => {
    text ??= JSON.stringify(openApiDocument(app, version));
    return context.body(text, 200, { 'content-type': 'application/json' });
  });
}

function openApiDocument(app: OpenAPIHono<AppEnv>, version: string): object {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'lifeboat', version, description: 'Restores, backups and drills of Kubernetes clusters on demand, and what became of them.' },
  });
  return {
    ...document,
    components: {
      // Those that zod makes itself: it knows best which members may be left out.
      schemas: { ...schemasOf(REQUESTS, 'input'), ...schemasOf(ANSWERS, 'output') },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token of the OpenID Connect provider that the server is configured with.' },
        certificate: { type: 'mutualTLS', description: 'A client certificate of an authority that the server is configured with.' },
      },
    },
  };
}

function schemasOf(schemas: readonly z.ZodType[], io: 'input' | 'output'): Record<string, unknown> {
  const registry = z.registry<{ readonly id: string }>();
  for (const schema of schemas) registry.add(schema, { id: schema.meta()?.id ?? '' });
  const { schemas: made } = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}`, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(made).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]));
}
