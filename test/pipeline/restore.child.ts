/** A restore in a process of its own, killed as soon as it has done UNTIL objects, and by itself: from outside it could be done before. Tells its report as JSON. */
import { restore } from '../../src/pipeline/restore/restore.ts';
import { liveSource } from '../../src/pipeline/sources.ts';
import { connectSite } from '../../src/site/connect.ts';

const [fromKubeconfig = '', toKubeconfig = '', namespace = '', renamed = '', until = ''] = process.argv.slice(2);
const [from, to] = await Promise.all([
  connectSite({ name: 'from', kubeconfig: fromKubeconfig }),
  connectSite({ name: 'to', kubeconfig: toKubeconfig }),
]);
const source = await liveSource(from, { selection: { namespaces: [namespace] } });
const report = await restore({
  source,
  target: to,
  options: { renameNamespaces: { [namespace]: renamed } },
  onProgress: ({ phase, done }) => {
    if (phase === 'apply' && done >= Number(until)) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(JSON.stringify(report));
await Promise.all([from.close(), to.close()]);
