import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BuildOptions, Metafile, Plugin } from 'esbuild';
import { z } from 'zod';
import { filesBeside, namedExports, oneLanguage } from './plugins.ts';

/** The project's folder. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

const { version: VERSION } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')));

/** Packages that are CommonJS ask for these, which modules do not have. */
const BANNER = [
  "import{createRequire as __createRequire}from'node:module'",
  "import{fileURLToPath as __toPath}from'node:url'",
  "import{dirname as __dir}from'node:path'",
  'const require=__createRequire(import.meta.url),__ownFile=__toPath(import.meta.url),__ownFolder=__dir(__ownFile);',
].join(';');

/** Only where a package does not declare them itself, as some modules do: in what is bundled they would be declared twice. */
const OF_COMMON_JS = { __filename: '__ownFile', __dirname: '__ownFolder' };

export interface BundleOptions {
  /** Sources to begin with, by the path of what is made of them, without its ending and one folder down: `functions/backup`. */
  readonly entries: Readonly<Record<string, string>>;
  /** Packages that are not taken in. */
  readonly external: readonly string[];
  /** Short names and no white space. */
  readonly minify: boolean;
  readonly plugins?: readonly Plugin[];
}

/** What was made: all paths are relative to the folder. */
export interface Bundled {
  readonly outputs: Metafile['outputs'];
  /** What a source, by its path, names by its place beside it. */
  readonly beside: (source: string) => readonly string[];
}

/**
 * Bundles modules with all they import into a folder, from which everything else is removed. They share what they have in common; what is loaded with `import()`
 * stays apart, so that nothing is loaded that is not used; worker threads and other files that sources name beside them are taken along.
 * What is there already and the same is not touched, so whoever runs what is in the folder is not disturbed.
 */
export async function bundleInto(folder: string, { entries, external, minify, plugins = [] }: BundleOptions): Promise<Bundled> {
  const beside = filesBeside(PROJECT);
  const options = {
    absWorkingDir: PROJECT,
    outdir: folder,
    write: false as const,
    bundle: true,
    minify,
    keepNames: true,
    splitting: true,
    format: 'esm' as const,
    platform: 'node' as const,
    target: 'node24',
    // All code is one folder down, so that the way to a file beside it is the same from everywhere.
    entryNames: '[dir]/[name]',
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: BANNER },
    define: { LIFEBOAT_VERSION: JSON.stringify(VERSION), ...OF_COMMON_JS },
    external: [...external],
    legalComments: 'none' as const,
    logLevel: 'error' as const,
    metafile: true as const,
    plugins: [...plugins, oneLanguage(), namedExports(), beside.plugin],
  } satisfies BuildOptions;
  const built = await build({ ...options, entryPoints: Object.entries(entries).map(([out, path]) => ({ in: path, out })) });
  const outputs = { ...built.metafile.outputs };
  const contents = new Map(built.outputFiles.map(({ path, contents: bytes }) => [path, bytes]));
  if (beside.workers.size > 0) {
    const workers = await build({ ...options, entryPoints: [...beside.workers].map(([path, name]) => ({ in: path, out: `workers/${name}` })) });
    Object.assign(outputs, workers.metafile.outputs);
    for (const { path, contents: bytes } of workers.outputFiles) contents.set(path, bytes);
  }
  for (const [path, name] of beside.assets) contents.set(join(folder, 'assets', name), await readFile(path));
  contents.set(join(folder, 'package.json'), Buffer.from('{"type":"module"}\n'));
  await fill(folder, contents);
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([path, output]) => [within(folder, path), output])),
    beside: (source) => beside.of(resolve(PROJECT, source)),
  };
}

/** A path that esbuild gave, relative to the folder. */
export function within(folder: string, path: string): string {
  return relative(folder, resolve(PROJECT, path)).split(sep).join('/');
}

/** Makes these the only files in a folder. Each is whole at any moment. */
async function fill(folder: string, contents: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, bytes] of contents) {
    const there = await readFile(path).catch(() => undefined);
    if (there !== undefined && there.equals(bytes)) continue;
    await mkdir(dirname(path), { recursive: true });
    const beside = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
    await writeFile(beside, bytes);
    await rename(beside, path);
  }
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !contents.has(path) && !entry.name.startsWith('.')) await rm(path, { force: true });
  }
}
