import { Agent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { apiError, isUndefinedKind } from './api-error.ts';
import { ResourcePaths } from './resource-paths.ts';
import type { Login } from '../../../src/drill/cluster/kubeconfig.ts';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z
    .looseObject({
      name: z.string().optional(),
      namespace: z.string().optional(),
      uid: z.string().optional(),
      resourceVersion: z.string().optional(),
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    })
    .default({}),
});
/** Any Kubernetes object, and the `Status` that some requests answer with. */
export type KubeObject = z.infer<typeof objectSchema>;

/** A Kubernetes object as it is sent. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

const listSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ continue: z.string().optional() }),
  items: z.array(z.looseObject({})),
});

/** What an API server answered, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Which server to talk to, and as whom. */
export interface ApiOptions {
  /** `https://127.0.0.1:12345`. */
  readonly url: string;
  /** The certificate authority to trust, as PEM. */
  readonly ca: string;
  readonly login: Login;
}

/** How long a kind that was defined a moment ago may take until it can be used. */
const DEFINED_WITHIN_MS = 60_000;
const LOOK_AGAIN_MS = 100;

/**
 * A small client of a Kubernetes API server, for tests to fill a site and look into it. It shares no code with the
 * product on purpose: what the product gets wrong, it must not get wrong in the same way.
 * Paths are as in the API: `/api/v1/namespaces/default/configmaps/a`. Failures throw an `ApiError`.
 */
export class ApiClient {
  readonly #options: ApiOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 100 });
  readonly #paths = new ResourcePaths(async (path) => await this.#json('GET', path));

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  async get(path: string): Promise<KubeObject> {
    return objectSchema.parse(await this.#json('GET', path));
  }

  async post(path: string, body: unknown): Promise<KubeObject> {
    return objectSchema.parse(await this.#json('POST', path, body));
  }

  async put(path: string, body: unknown): Promise<KubeObject> {
    return objectSchema.parse(await this.#json('PUT', path, body));
  }

  /** A JSON merge patch, if no other type of patch is given. */
  async patch(path: string, body: unknown, type = 'application/merge-patch+json'): Promise<KubeObject> {
    return objectSchema.parse(await this.#json('PATCH', path, body, type));
  }

  async delete(path: string, body?: unknown): Promise<KubeObject> {
    return objectSchema.parse(await this.#json('DELETE', path, body));
  }

  /** All objects of a collection, page by page. Each carries the `apiVersion` and `kind` that lists leave out. */
  async list(path: string): Promise<KubeObject[]> {
    const objects: KubeObject[] = [];
    let next: string | undefined;
    do {
      const page = next === undefined ? '' : `&continue=${encodeURIComponent(next)}`;
      const query = `${path.includes('?') ? '&' : '?'}limit=500${page}`;
      const list = listSchema.parse(await this.#json('GET', `${path}${query}`));
      const type = { apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, '') };
      for (const item of list.items) objects.push(objectSchema.parse({ ...type, ...item }));
      next = list.metadata.continue === '' ? undefined : list.metadata.continue;
    } while (next !== undefined);
    return objects;
  }

  /** The path of an object's collection, from what the server says about its kind. */
  async collectionOf(object: Manifest): Promise<string> {
    return await this.#paths.collectionOf(object);
  }

  /** The path of an object. */
  async pathOf(object: Manifest): Promise<string> {
    return `${await this.#paths.collectionOf(object)}/${encodeURIComponent(object.metadata.name ?? '')}`;
  }

  async create(object: Manifest): Promise<KubeObject> {
    return await this.post(await this.collectionOf(object), object);
  }

  /**
   * Applies objects one after another (server-side apply, as the manager `testbed`). Waits for a kind that a
   * definition before it brings.
   */
  async apply(objects: readonly Manifest[]): Promise<KubeObject[]> {
    const applied: KubeObject[] = [];
    for (const object of objects) {
      applied.push(
        await whenDefined(async () => {
          const path = `${await this.pathOf(object)}?fieldManager=testbed&force=true`;
          return await this.patch(path, object, 'application/apply-patch+yaml');
        }),
      );
    }
    return applied;
  }

  /** Creates many objects, `concurrency` at a time. */
  async createMany(objects: Iterable<Manifest>, concurrency = 32): Promise<void> {
    const rest = objects[Symbol.iterator]();
    const work = async (): Promise<void> => {
      for (let next = rest.next(); next.done !== true; next = rest.next()) {
        const object = next.value;
        await whenDefined(async () => await this.create(object));
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  /** One request as it is, with its answer as it is: for what the other methods do not cover. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
    signal?: AbortSignal,
  ): Promise<Answer> {
    const { url, ca, login } = this.#options;
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers: Record<string, string | number> = { accept: 'application/json' };
    if ('token' in login) headers['authorization'] = `Bearer ${login.token}`;
    if (content !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': content.length });
    return await new Promise((resolve, reject) => {
      const request = httpsRequest(new URL(path, url), {
        method,
        headers,
        ca,
        agent: this.#agent,
        ...('key' in login ? { cert: login.certificate, key: login.key } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
      });
      request.end(content);
    });
  }

  /** Closes the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  async #json(method: string, path: string, body?: unknown, type?: string): Promise<unknown> {
    const answer = await this.send(method, path, body, type);
    if (answer.status < 200 || answer.status > 299) throw apiError(`${method} ${path}`, answer.status, answer.body);
    return JSON.parse(answer.body.toString('utf8'));
  }
}

/** Tries again while the server says that there is no such kind or collection. */
async function whenDefined<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + DEFINED_WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUndefinedKind(error) || Date.now() > deadline) throw error;
      await sleep(LOOK_AGAIN_MS);
    }
  }
}
