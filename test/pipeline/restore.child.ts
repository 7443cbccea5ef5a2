/** A restore in a process of its own, to be killed: tells its progress and its report as lines of JSON. */
import { restore } from '../../src/pipeline/restore/restore.ts';
import { liveSource } from '../../src/pipeline/sources.ts';
import { connectSite } from '../../src/site/connect.ts';

const [fromKubeconfig = '', toKubeconfig = '', namespace = '', renamed = ''] = process.argv.slice(2);
const [from, to] = await Promise.all([
  connectSite({ name: 'from', kubeconfig: fromKubeconfig }),
  connectSite({ name: 'to', kubeconfig: toKubeconfig }),
]);
const source = await liveSource(from, { selection: { namespaces: [namespace] } });
const report = await restore({
  source,
  target: to,
  options: { renameNamespaces: { [namespace]: renamed }, patienceMs: 5_000 },
  onProgress: ({ phase, done }) => {
    if (phase === 'apply') process.stdout.write(`${JSON.stringify({ done })}\n`);
  },
});
process.stdout.write(`${JSON.stringify({ report })}\n`);
await Promise.all([from.close(), to.close()]);
