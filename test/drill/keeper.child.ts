/**
 * Owns things in a process of its own, prints what as one line of JSON, and waits to be killed:
 * `keeper.child.ts folder|site|nothing`. With `nothing` it only starts a keeper and ends.
 */
import { openOwnedFolder } from '../../src/drill/keeper/owned-folder.ts';
import { startSite } from '../testbed/kubernetes/site.ts';

const [what = ''] = process.argv.slice(2);

/** A server that does not end when asked to, and that has a child of its own. */
const STUBBORN = 'trap "" TERM; sleep 1000 & echo $! > inner; wait; sleep 1000';

async function own(): Promise<{ folder: string; pids: number[] } | undefined> {
  if (what === 'site') {
    const { folder, pids } = await startSite();
    return { folder, pids: Object.values(pids) };
  }
  const folder = await openOwnedFolder('child');
  if (what === 'nothing') return undefined;
  const { pid } = await folder.start({ name: 'stubborn', command: '/bin/sh', args: ['-c', STUBBORN] });
  return { folder: folder.path, pids: [pid] };
}

const owned = await own();
if (owned !== undefined) {
  console.log(JSON.stringify(owned));
  await new Promise((resolve) => setTimeout(resolve, 1_000_000));
}
