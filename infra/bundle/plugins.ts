import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import type { Plugin } from 'esbuild';

/** Leaves out the messages of zod in other languages: two hundred kilobytes that nothing here shows. */
export function oneLanguage(): Plugin {
  return {
    name: 'one-language',
    setup(build) {
      build.onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({ contents: "export { default as en } from './en.js';", loader: 'js' }));
    },
  };
}

/** A package, not a path and not a part of Node. */
const PACKAGE = /^(?:@[\w.-]+\/)?\w[\w.-]*(?:\/[\w./-]+)?$/;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * Gives what `import()` of a CommonJS package gives in Node: its exports by their names. In a bundle that is split there would be `default`
 * alone, because such a package says what it exports only when it is run; so it is run while the bundle is made.
 */
export function namedExports(): Plugin {
  return {
    name: 'named-exports',
    setup(build) {
      build.onResolve({ filter: PACKAGE }, ({ importer, kind, path, resolveDir }) => {
        // Packages know themselves what they get.
        if (kind !== 'dynamic-import' || isBuiltin(path) || importer.includes('node_modules')) return undefined;
        return { path, namespace: 'named-exports', pluginData: { resolveDir } };
      });
      build.onLoad({ filter: /.*/, namespace: 'named-exports' }, async ({ path, pluginData }) => {
        const { resolveDir } = pluginData as { readonly resolveDir: string };
        const found = (await import(path)) as Readonly<Record<string, unknown>>;
        const names = Object.keys(found).filter((name) => IDENTIFIER.test(name) && name !== 'default' && name !== 'module.exports');
        const contents = `export { ${names.join(', ')} } from 'PACKAGE';\n`.replaceAll('PACKAGE', path);
        return { contents, resolveDir, loader: 'js' };
      });
    },
  };
}

/** Files that the sources name by their place beside them. */
export interface FilesBeside {
  readonly plugin: Plugin;
  /** Modules that are started as threads or processes of their own, by path, and what they are called. */
  readonly workers: ReadonlyMap<string, string>;
  /** Other files, by path, and what they are called. */
  readonly assets: ReadonlyMap<string, string>;
  /** What a source needs beside it, relative to the output folder. */
  readonly of: (source: string) => readonly string[];
}

const BESIDE = /new URL\('([^']+)', import\.meta\.url\)/g;

/** `new URL('file', import.meta.url)` finds the file beside the bundle: modules, which threads and processes begin with, as bundles of their own, all else as it is. */
export function filesBeside(project: string): FilesBeside {
  const workers = new Map<string, string>();
  const assets = new Map<string, string>();
  const needed = new Map<string, string[]>();
  const place = (source: string, target: string): string => {
    const path = resolve(dirname(source), target);
    const worker = target.endsWith('.ts');
    // By the last two parts of the way to it, of which the folder that the project happens to be in is none.
    const name = relative(project, path).split(sep).slice(-2).join('-').replace(/\.ts$/, '');
    (worker ? workers : assets).set(path, name);
    const output = worker ? `workers/${name}.js` : `assets/${name}`;
    needed.set(source, [...(needed.get(source) ?? []), output]);
    return output;
  };
  const plugin: Plugin = {
    name: 'files-beside',
    setup(build) {
      build.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
        if (path.includes('node_modules')) return undefined;
        const text = await readFile(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        return { contents: text.replace(BESIDE, (_all, target: string) => `new URL('../${place(path, target)}', import.meta.url)`), loader: 'ts' };
      });
    },
  };
  return { plugin, workers, assets, of: (source) => needed.get(source) ?? [] };
}
