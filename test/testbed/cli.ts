/**
 * `npm run testbed`: a Kubernetes control plane of one's own on loopback, until Ctrl-C.
 * `npm run testbed -- --help` lists the options.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/core/errors.ts';
import { findComponents } from './kubernetes/components.ts';
import { startSite } from './kubernetes/site.ts';
import { showBuildProgress } from './progress.ts';

const USAGE = `Starts a Kubernetes control plane on loopback and runs it until Ctrl-C. Then nothing is left of it.

npm run testbed -- [options]
  --name NAME        the name of the context in its kubeconfig (default: testbed)
  --no-controllers   without the controller manager
  --scheduler        with the scheduler (there are no nodes)
  --help             this text`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string', default: 'testbed' },
      controllers: { type: 'boolean', default: true },
      scheduler: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }

  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const { name, controllers, scheduler } = values;
  const { signal } = stop;
  try {
    await using site = await startSite({ name, controllers, scheduler, signal, onProgress: showBuildProgress() });
    const { paths } = await findComponents(['kubectl'], { signal });
    console.log(`The site "${site.name}" runs at ${site.url}.${site.note === undefined ? '' : `\n${site.note}.`}

  export KUBECONFIG=${site.kubeconfigPath}
  ${paths.get('kubectl') ?? 'kubectl'} get namespaces

Ctrl-C ends it.`);
    await new Promise((resolve) => {
      // A timer keeps this process alive: waiting for a signal does not.
      const timer = setInterval(() => undefined, 60_000);
      signal.addEventListener('abort', () => resolve(clearInterval(timer)), { once: true });
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

try {
  await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
