import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile, Plugin } from 'esbuild';
import { bundleInto, PROJECT, within } from '../bundle/bundle.ts';
import type { Bundled } from '../bundle/bundle.ts';

/** Given by the host, or never there. */
const EXTERNAL = ['@azure/functions-core', '@google-cloud/functions-framework', 'pg-native', 'bufferutil', 'utf-8-validate'];

/** A bundled function. */
export interface Bundle {
  readonly name: string;
  /** The folder that the paths are relative to. */
  readonly folder: string;
  /** The module to load: `functions/backup.js`. */
  readonly entry: string;
  /** All that it may load, itself included. */
  readonly files: readonly string[];
  /** What is loaded at the start, itself included, without what `import()` loads when it is needed. */
  readonly loadedAtStart: readonly string[];
  /** The sources in `loadedAtStart`, relative to the project. */
  readonly sourcesAtStart: readonly string[];
}

export interface BundleOptions {
  /** Entry points by name; default: those in `functions/`. */
  readonly entries: Readonly<Record<string, string>>;
  readonly plugins?: readonly Plugin[];
}

/** The functions that Lambda runs, by file. */
export const LAMBDA_FUNCTIONS = ['backup', 'drill', 'verify', 'retain', 'replicate', 'restore', 'status', 'work'] as const;

/** Entry points in `functions/`, by name. */
export function entriesOf(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, join(PROJECT, 'functions', `${name}.ts`)]));
}

/** Bundles functions into a folder, from which everything else is removed. */
export async function bundleFunctions(folder: string, { entries, plugins = [] }: BundleOptions): Promise<readonly Bundle[]> {
  const named = Object.fromEntries(Object.entries(entries).map(([name, path]) => [`functions/${name}`, path]));
  const bundled = await bundleInto(folder, { entries: named, external: EXTERNAL, minify: true, plugins });
  return Object.keys(entries).map((name) => describeBundle(folder, name, bundled));
}

function describeBundle(folder: string, name: string, { outputs, beside }: Bundled): Bundle {
  const entry = `functions/${name}.js`;
  const reached = (later: boolean): readonly string[] => {
    const found = new Set<string>([entry]);
    for (const file of found) {
      const output: Metafile['outputs'][string] | undefined = outputs[file];
      for (const { path, kind, external } of output?.imports ?? []) {
        if (external !== true && (later || kind !== 'dynamic-import')) found.add(within(folder, path));
      }
      if (later) for (const source of Object.keys(output?.inputs ?? {})) for (const file of beside(source)) found.add(file);
    }
    return [...found].toSorted();
  };
  const loadedAtStart = reached(false);
  const sources = loadedAtStart.flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
  return { name, folder, entry, files: reached(true), loadedAtStart, sourcesAtStart: [...new Set(sources)].toSorted() };
}

/** The size of a bundle, in bytes: all of it, and what is loaded at the start. */
export async function bundleSize(bundle: Bundle): Promise<{ readonly all: number; readonly atStart: number }> {
  const sizes = await Promise.all(bundle.files.map(async (file) => [file, (await readFile(join(bundle.folder, file))).length] as const));
  const sum = (files: readonly (readonly [string, number])[]): number => files.reduce((total, [, size]) => total + size, 0);
  return { all: sum(sizes), atStart: sum(sizes.filter(([file]) => bundle.loadedAtStart.includes(file))) };
}
