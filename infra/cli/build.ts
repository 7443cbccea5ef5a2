/**
 * `npm run build`, and what `npm ci` does at its end: bundles the command line into `dist/`, where `npx lifeboat` starts it. One file of code that is read at
 * once takes less than half the time to load that hundreds take which are looked for one by one.
 */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleInto, PROJECT } from '../bundle/bundle.ts';

/** They read files that lie beside their own code, or are never there. */
const EXTERNAL = ['@electric-sql/pglite', '@electric-sql/pglite/*', 'pg-native', 'bufferutil', 'utf-8-validate'];

/** Bundles the command line into `dist/`. Gives the path of its launcher. */
export async function buildCommandLine(): Promise<string> {
  const launcher = await bundleProgram(join(PROJECT, 'dist'), 'cli/lifeboat', join(PROJECT, 'src/cli/lifeboat.mjs'));
  await chmod(launcher, 0o755);
  return launcher;
}

/**
 * Bundles a program as the command line is, into a folder within the project, from which everything else is removed: packages that are not bundled are looked for
 * from there. `out` is the way to the program in it, one folder down and without its ending. Gives its path.
 */
export async function bundleProgram(folder: string, out: string, source: string): Promise<string> {
  await bundleInto(folder, { entries: { [out]: source }, external: EXTERNAL, minify: false });
  return join(folder, `${out}.js`);
}

if (import.meta.main) await buildCommandLine();
