/** Starts a control plane in the folder given, prints what it is made of as one line of JSON, and waits to be killed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startControlPlane } from '../../src/drill/cluster/start.ts';

const [assets = '', folder = ''] = process.argv.slice(2);
const plane = await startControlPlane({ assets, folder });
const noted = (await readFile(join(plane.owned.path, '.processes'), 'utf8')).trim().split('\n');
console.log(JSON.stringify({ folder: plane.owned.path, processes: noted }));
await new Promise((resolve) => setTimeout(resolve, 1_000_000));
