import { countActions } from '../../pipeline/restore/plan.ts';
import type { PlanAction, PlanEntry, RestorePlan } from '../../pipeline/restore/plan.ts';
import { nameEntry } from '../../pipeline/restore/run.ts';
import type { Style } from '../style.ts';
import { formatCount } from '../text.ts';

const MEANING: Readonly<Record<PlanAction, string>> = {
  create: 'create as they are',
  change: 'create, changed to fit',
  keep: 'there already, and equal',
  skip: 'there already, differ, and are left as they are (--existing skip)',
  update: 'there already, differ, and are made as in the point (--existing update)',
  drop: 'not restored: the target makes its own, or they belong to the old cluster alone',
  conflict: 'there already, and differ: nothing would be written (--existing fail)',
  unsupported: 'the target does not have their type',
};

const COLOURS: Readonly<Record<PlanAction, 'green' | 'yellow' | 'dim' | 'red'>> = {
  create: 'green',
  change: 'yellow',
  keep: 'green',
  skip: 'yellow',
  update: 'yellow',
  drop: 'dim',
  conflict: 'red',
  unsupported: 'red',
};

/** Rules named in the summary; `--plan` shows them object by object. */
const NAMED_RULES = 8;

/** A plan in a few lines. */
export function planSummary(plan: RestorePlan, style: Style): string {
  const counts = countActions(plan);
  const width = Math.max(...Object.values(counts).map((count) => formatCount(count).length));
  const actions = (Object.keys(MEANING) as PlanAction[])
    .filter((action) => counts[action] > 0)
    .map((action) => `  ${formatCount(counts[action]).padStart(width)}  ${style[COLOURS[action]](action)}${' '.repeat(12 - action.length)}${MEANING[action]}`);
  const rules = new Map<string, number>();
  for (const entry of plan.entries) for (const rule of entry.rules ?? []) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  const named = [...rules].toSorted(([, a], [, b]) => b - a).slice(0, NAMED_RULES);
  return [
    `${style.bold(plan.source.label)} (${plan.source.at}) ${style.bold('→')} ${style.bold(plan.target.name)} (${plan.target.server})`,
    ...(actions.length === 0 ? ['  nothing to do'] : actions),
    ...(named.length === 0 ? [] : [`  rules: ${named.map(([rule, count]) => `${rule} ${formatCount(count)}`).join(', ')}${rules.size > named.length ? ', …' : ''} (docs/restore.md)`]),
    ...plan.warnings.map((warning) => `  ${style.yellow('warning:')} ${warning.message}${warning.where === undefined ? '' : ` (${warning.where})`}`),
  ].join('\n');
}

/** A plan object by object. */
export function* planLines(plan: RestorePlan): Generator<string> {
  for (const entry of plan.entries) {
    const type = plan.types[entry.type];
    if (type === undefined) continue;
    const why = explanation(entry);
    yield `${entry.action.padEnd(12)}${nameEntry(type, entry)}${why === '' ? '' : `  (${why})`}`;
  }
}

function explanation(entry: PlanEntry): string {
  const parts = [
    ...(entry.from === undefined ? [] : [`was ${entry.from}`]),
    ...(entry.rules ?? []),
    ...(entry.because === undefined ? [] : [entry.because === 'dependency' ? 'needed by others' : 'needed by others, made from its name']),
    ...(entry.reason === undefined ? [] : [entry.reason]),
  ];
  return parts.join('; ');
}
