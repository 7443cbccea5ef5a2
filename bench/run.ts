/** `npm run bench -- NAME [--json]`: measures, prints every figure with its bar, and exits 4 when one does not hold. */
import { parseArgs } from 'node:util';
import { buildCommandLine } from '../infra/cli/build.ts';
import { tuneEngine } from '../src/cli/engine.ts';
import type { Figure } from './figure.ts';

// As the command line runs.
tuneEngine();

const BENCHES: Record<string, { readonly about: string; readonly load: () => Promise<(say: (line: string) => void) => Promise<readonly Figure[]>> }> = {
  state: {
    about: 'backup and restore of the cluster state: 10,000 and 100,000 objects against a real control plane',
    load: async () => (await import('./state.ts')).stateFigures,
  },
  volume: {
    about: 'a file of 1.5 GB as block image and as stream, beside kopia and restic; what one slow vault costs the others',
    load: async () => async (say) => [...(await (await import('./volume.ts')).volumeFigures(say)), ...(await (await import('./lanes.ts')).laneFigures(say))],
  },
  file: {
    about: 'of `volume`, the file alone',
    load: async () => (await import('./volume.ts')).volumeFigures,
  },
  pipeline: {
    about: 'a backup tick from event to safe point, workers that are killed, 300 sites on one worker, and `functions`',
    load: async () => (await import('./pipeline/figures.ts')).pipelineFigures,
  },
  index: {
    about: 'a repository of ten million chunks (10 TiB): memory and time to open it',
    load: async () => (await import('./large-index.ts')).indexFigures,
  },
  functions: {
    about: 'of `pipeline`, the functions alone: how large their bundles are, and how long each takes to load',
    load: async () => (await import('./functions.ts')).functionFigures,
  },
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
const [name] = positionals;
const bench = name === undefined ? undefined : BENCHES[name];
if (bench === undefined || values.help) {
  console.log('npm run bench -- NAME [--json]\n');
  for (const [known, { about }] of Object.entries(BENCHES)) console.log(`  ${known.padEnd(10)} ${about}`);
  process.exit(values.help ? 0 : 2);
}

// What is measured is what users start.
await buildCommandLine();
const run = await bench.load();
const figures = await run((line) => console.error(line));
if (values.json) console.log(JSON.stringify(figures, null, 2));
else {
  console.log('');
  for (const figure of figures) {
    const verdict = figure.holds === undefined ? '' : figure.holds ? `  holds (${figure.bar})` : `  DOES NOT HOLD (${figure.bar})`;
    console.log(`  ${figure.name.padEnd(58)} ${String(figure.value).padStart(9)} ${figure.unit.padEnd(8)}${verdict}`);
  }
}
process.exit(figures.some((figure) => figure.holds === false) ? 4 : 0);
