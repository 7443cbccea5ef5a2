import { z } from 'zod';
import type { Manifest } from './api.ts';
import { ApiError, UnknownKindError } from './api-error.ts';

const resourcesSchema = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});
type Resource = z.infer<typeof resourcesSchema>['resources'][number];

/** Knows where objects of a kind live, by asking the server once for each API version, and again for a new kind. */
export class ResourcePaths {
  readonly #get: (path: string) => Promise<unknown>;
  readonly #known = new Map<string, Promise<Resource[]>>();

  constructor(get: (path: string) => Promise<unknown>) {
    this.#get = get;
  }

  /** The path of an object's collection. Throws `UnknownKindError` when the server has no such kind. */
  async collectionOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = (await this.#find(root, kind)) ?? (await this.#findAgain(root, kind));
    if (resource === undefined) throw new UnknownKindError(apiVersion, kind);
    if (!resource.namespaced) return `${root}/${resource.name}`;
    return `${root}/namespaces/${metadata.namespace ?? 'default'}/${resource.name}`;
  }

  async #findAgain(root: string, kind: string): Promise<Resource | undefined> {
    this.#known.delete(root);
    return await this.#find(root, kind);
  }

  async #find(root: string, kind: string): Promise<Resource | undefined> {
    let known = this.#known.get(root);
    if (known === undefined) this.#known.set(root, (known = this.#load(root)));
    try {
      return (await known).find((resource) => resource.kind === kind && !resource.name.includes('/'));
    } catch (error) {
      this.#known.delete(root);
      throw error;
    }
  }

  async #load(root: string): Promise<Resource[]> {
    try {
      return resourcesSchema.parse(await this.#get(root)).resources;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    }
  }
}
