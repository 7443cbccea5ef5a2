import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { isRefusal } from '../../src/site/errors.ts';
import type { Place } from './scene.ts';

const manifestSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().exactOptional() }),
});

/** An object as its project publishes it. */
export interface Published {
  readonly manifest: z.infer<typeof manifestSchema>;
  readonly yaml: string;
}

/** Where manifests of real projects are, beside the project or where `LIFEBOAT_CORPUS` says. They are not part of it. */
const folder = process.env['LIFEBOAT_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url));

/** Each before what it would keep out or needs. */
const ORDER = ['CustomResourceDefinition', 'Namespace', 'ServiceAccount', '', 'ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];

/** Every object of the corpus in an order in which a site takes them; `undefined` if there is no corpus here. */
export async function readCorpus(): Promise<Published[] | undefined> {
  const files = await readdir(folder).catch(() => undefined);
  if (files === undefined) return undefined;
  const published: Published[] = [];
  for (const file of files.filter((name) => /\.ya?ml$/.test(name)).toSorted()) {
    for (const yaml of (await readFile(join(folder, file), 'utf8')).split(/^---.*$/m)) {
      // Enough to know where it goes; the API server reads the text itself, as it does for kubectl, and forgives more.
      const manifest = manifestSchema.safeParse(parseDocument(yaml, { logLevel: 'silent' }).toJS());
      if (manifest.success) published.push({ manifest: manifest.data, yaml });
    }
  }
  return published.toSorted((a, b) => place(a) - place(b));
}

function place({ manifest }: Published): number {
  const found = ORDER.indexOf(manifest.kind);
  return found < 0 ? ORDER.indexOf('') : found;
}

/** Creates everything in a site, one after another. */
export async function publish(site: Place, all: readonly Published[]): Promise<void> {
  for (const { manifest, yaml } of all) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const path = await site.site.api.collectionOf(manifest);
        await site.connection.request({ method: 'POST', path, body: yaml, contentType: 'application/yaml', doing: `create ${manifest.kind}` });
        break;
      } catch (error) {
        // A definition takes a moment to be served.
        if (attempt === 600 || (isRefusal(error) && error.status !== 404)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
}
