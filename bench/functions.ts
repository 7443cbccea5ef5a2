import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleFunctions, bundleSize, entriesOf, LAMBDA_FUNCTIONS } from '../infra/functions/bundle.ts';
import type { Bundle } from '../infra/functions/bundle.ts';
import { startValkey } from '../test/testbed/queue/valkey.ts';
import { held, median, noted } from './figure.ts';
import type { Figure } from './figure.ts';

/** Starts of each function, in turn. */
const ROUNDS = 9;
/** Milliseconds. */
const MOST_HANDING_OVER = 150;
const MOST_WORKING = 400;

/** Prints how long a process that has just started takes to load the module. */
const LOAD = 'const began = performance.now(); await import(process.argv[1]); console.log(performance.now() - began); process.exit()';

/** What a bundle loads only when it is called counts here: from the start of loading until the first job is in the queue. */
const FIRST_JOB = `
  const began = performance.now();
  const { handler } = await import(process.argv[1]);
  await handler({ lifeboat: 'schedule', plan: 'shop', scheduledTime: new Date().toISOString() }, {});
  console.log('\\n' + (performance.now() - began));
  process.exit()`;

const CONFIG = (queue: string): string => `
version: 1
sites: { shop: { kubeconfig: /nowhere/shop.kubeconfig } }
vaults: { near: { type: s3, bucket: near, region: eu-central-1 } }
keys: { write: { env: LIFEBOAT_WRITE_KEY } }
plans: { shop: { site: shop, vaults: [near], schedule: { every: 15m } } }
queue: { type: redis, url: '${queue}' }
`;

/** How large the bundles of the functions are, and how long each takes to load in a process of its own. */
export async function functionFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-functions-'));
  try {
    const bundles = await bundleFunctions(folder, { entries: entriesOf(LAMBDA_FUNCTIONS) });
    const times = new Map<string, number[]>(bundles.map(({ name }) => [name, []]));
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`loading, round ${round} of ${ROUNDS}`);
      for (const bundle of bundles) times.get(bundle.name)?.push(await coldImport(bundle));
    }
    const figures: Figure[] = [];
    for (const bundle of bundles) {
      const { all, atStart } = await bundleSize(bundle);
      figures.push(noted(`${bundle.name}: bundle`, all / 1024, 'KB'), noted(`${bundle.name}: of that at the start`, atStart / 1024, 'KB'));
      figures.push(held(`${bundle.name}: cold import`, median(times.get(bundle.name) ?? []), 'ms', '<', bundle.name === 'work' ? MOST_WORKING : MOST_HANDING_OVER));
    }
    const backup = bundles.find(({ name }) => name === 'backup');
    if (backup !== undefined) figures.push(noted('backup: cold import, and its first job is in the queue', await firstJob(backup), 'ms'));
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function coldImport(bundle: Bundle): Promise<number> {
  return await timed(bundle, LOAD, {});
}

/** On a queue of its own, on loopback. */
async function firstJob(bundle: Bundle): Promise<number> {
  const queue = await startValkey({ appendOnly: true });
  try {
    const times: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) times.push(await timed(bundle, FIRST_JOB, { LIFEBOAT_CONFIG_TEXT: CONFIG(queue.url) }));
    return median(times);
  } finally {
    await queue.stop();
  }
}

/** Runs a script with the bundle in a process of its own. What it says last is how long it took. */
async function timed({ folder, entry }: Bundle, script: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(folder, entry)], { cwd: folder, env: { ...process.env, ...env } });
  return Number(stdout.trim().split('\n').at(-1));
}
