/**
 * `npm run demo`: loses a real cluster and brings it back. With `-- --kubeconfig F --context C`: the backup half on your
 * own cluster, reading only. `-- --json`: one document instead of the story. Exit code 0 when it all held.
 */
import { parseArgs } from 'node:util';
import { isAbort, isLifeboatError, messageOf } from '../src/core/errors.ts';
import { backUpOwnCluster } from './own-cluster.ts';
import { closingPage, silent, terminalTeller } from './screen.ts';
import { tellTheStory } from './story.ts';

const HELP = `npm run demo                                     lose a cloud with a real cluster in it, bring it back in another
npm run demo -- --objects 10000                  with a larger site (2,500 objects by default)
npm run demo -- --kubeconfig F [--context C]     back up your own cluster into a temporary folder, reading only
npm run demo -- --json                           one JSON document on standard output`;

/** The smallest site worth the name. */
const LEAST_OBJECTS = 2000;

function readArguments(): ReturnType<typeof parse> | undefined {
  try {
    return parse();
  } catch (error) {
    console.error(`error: ${messageOf(error)}\n\n${HELP}`);
    return undefined;
  }
}

function parse() {
  return parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      objects: { type: 'string', default: '2500' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values;
}

async function main(): Promise<number> {
  const values = readArguments();
  if (values === undefined) return 2;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const objects = Number(values.objects);
  if (!Number.isInteger(objects) || objects < LEAST_OBJECTS) {
    console.error(`error: --objects takes a whole number, ${LEAST_OBJECTS} or more\n\n${HELP}`);
    return 2;
  }
  if (values.context !== undefined && values.kubeconfig === undefined) {
    console.error(`error: --context goes with --kubeconfig\n\n${HELP}`);
    return 2;
  }
  const teller = values.json ? silent : terminalTeller((line) => console.log(line));
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new DOMException('stopped by Ctrl-C', 'AbortError')));
  process.once('SIGTERM', () => abort.abort(new DOMException('stopped', 'AbortError')));

  if (values.kubeconfig !== undefined) {
    const report = await backUpOwnCluster({ kubeconfig: values.kubeconfig, context: values.context, teller, signal: abort.signal });
    if (values.json) console.log(JSON.stringify(report, null, 2));
    return report.ok ? 0 : 3;
  }
  const report = await tellTheStory({ objects, teller, signal: abort.signal });
  console.log(values.json ? JSON.stringify(report, null, 2) : closingPage(report));
  return report.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (isAbort(error)) {
    console.error('stopped; nothing is left behind');
    process.exitCode = 130;
  } else {
    console.error(`error: ${messageOf(error)}`);
    if (isLifeboatError(error)) {
      if (error.where !== undefined) console.error(`  at ${error.where}`);
      if (error.hint !== undefined) console.error(`  fix: ${error.hint}`);
      console.error(`  code: ${error.code} (docs/errors.md)`);
      process.exitCode = error.exitCode;
    } else {
      process.exitCode = 1;
    }
  }
}
