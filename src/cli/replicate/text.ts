import type { ReplicateRun } from '../../pipeline/replicate.ts';
import type { Style } from '../style.ts';
import { formatBytes, formatCount, formatTable, plural } from '../text.ts';

interface About {
  readonly dryRun: boolean;
  /** Vaults that could not even be opened. */
  readonly unopened: readonly string[];
  readonly style: Style;
}

/** What `lifeboat replicate` did, for people. */
export function replicateText(runs: readonly ReplicateRun[], { dryRun, unopened, style }: About): string {
  return [...runs.map((run) => runText(run, runs.length > 1, dryRun, style)), ...unopened.map((name) => `${style.red('unreachable')}  vault ${name} could not be opened`)].join('\n');
}

function runText(run: ReplicateRun, several: boolean, dryRun: boolean, style: Style): string {
  const table = formatTable(
    [
      { title: 'vault' },
      { title: 'state' },
      { title: 'lacked' },
      { title: dryRun ? 'to copy' : 'copied', right: true },
    ],
    run.vaults.map(({ name, state, lacked, copied }) => [name, state, state === 'failed' && lacked.points + lacked.packs === 0 ? 'not known' : lackedText(lacked), formatBytes(dryRun ? lacked.bytes : copied.bytes)]),
  );
  const failures = run.vaults.flatMap(({ name, failure }) => (failure === undefined ? [] : [`${style.red('failed')}  vault ${name}: ${failure.message} (${failure.code})`]));
  const problems = run.problems.map(({ vault, object, kind, message }) => `${style.red(kind)}  vault ${vault}, ${object}: ${message}`);
  const more = run.moreProblems === 0 ? [] : [`and ${plural(run.moreProblems, 'more problem')}`];
  return [...(several ? [`${run.plans.join(', ')}:`] : []), table, ...failures, ...problems, ...more].join('\n');
}

function lackedText({ points, packs }: ReplicateRun['vaults'][number]['lacked']): string {
  if (points + packs === 0) return 'nothing';
  return `${plural(points, 'point')}, ${formatCount(packs)} ${packs === 1 ? 'pack' : 'packs'}`;
}
