import { EXIT } from '../../core/error-codes.ts';
import { diffStates } from '../../pipeline/diff/diff.ts';
import type { DiffObject, DiffReport } from '../../pipeline/diff/report.ts';
import type { StateSource } from '../../site/types.ts';
import type { Context } from '../context.ts';
import { withPoints } from '../../access/repository.ts';
import { selectionOf } from '../selection.ts';
import type { Style } from '../style.ts';
import { formatCount, plural } from '../text.ts';
import { readSite, sideOf } from './sides.ts';
import type { SideName } from './sides.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';

export interface DiffOptions extends VaultOptions, ReadKeyOptions {
  readonly namespace?: readonly string[];
  readonly type?: readonly string[];
  readonly site?: string;
}

/** `lifeboat diff A B`. Exit 4 when they differ, 3 when nothing differs but something could not be compared. */
export async function diff(context: Context, a: string, b: string, options: DiffOptions): Promise<number> {
  const sides = { a: await sideOf(context, a), b: await sideOf(context, b) };
  const selection = selectionOf(options);
  const live = (side: SideName): Promise<StateSource> | undefined => (side.kind === 'site' ? readSite(context, side, selection) : undefined);
  const compare = async (sourceOf: (side: SideName) => Promise<StateSource>): Promise<number> => {
    const sourceA = await sourceOf(sides.a);
    const sourceB = await sourceOf(sides.b);
    const report = await diffStates(sourceA, sourceB, { selection, signal: context.signal, onProgress: context.output.progress.report });
    const ok = report.equal && report.notCompared.length === 0;
    await context.output.result({ ok, ...report }, () => reportText(report, context.output.style));
    if (!report.equal) return EXIT.findings;
    return ok ? EXIT.ok : EXIT.partial;
  };
  return withPoints(context, options, [sides.a, sides.b].some((side) => side.kind === 'point'), (open) =>
    compare(async (side) => live(side) ?? (await open(side.kind === 'point' ? side.id : '')).source),
  );
}

function reportText(report: DiffReport, style: Style): string {
  const { a, b } = report;
  const notCompared = report.notCompared.map(({ type, reason }) => `${style.yellow('not compared')} ${type}: ${reason}`);
  const more = report.truncated ? ['… and more: narrow it down with -n or -t'] : [];
  const setAside = [...new Set([...Object.keys(a.setAside), ...Object.keys(b.setAside)])].toSorted();
  const aside = setAside.length === 0 ? [] : [style.dim(`set aside: ${setAside.join(', ')} (docs/restore.md)`)];
  const summary = report.equal
    ? style.green(`no difference in ${plural(report.same, 'object')}`)
    : `${style.red(`${formatCount(report.changed)} changed, ${formatCount(report.added)} added, ${formatCount(report.removed)} removed`)}, ${formatCount(report.same)} the same`;
  const derived = report.derived === 0 ? [] : [style.dim(`${plural(report.derived, 'object')} more in ${b.label}, made there by its controllers`)];
  return [
    style.dim(`a: ${a.label} (${a.at})`),
    style.dim(`b: ${b.label} (${b.at})`),
    ...report.objects.flatMap((object) => objectLines(object, style)),
    ...more,
    ...notCompared,
    ...aside,
    ...derived,
    summary,
  ].join('\n');
}

function objectLines({ object, change, differences = [] }: DiffObject, style: Style): string[] {
  const title = { added: style.green(`+ ${object}`), removed: style.red(`- ${object}`), changed: style.yellow(`~ ${object}`) }[change];
  const details = differences.flatMap(({ path, a, b }) => [
    `    ${path}`,
    ...(a === undefined ? [] : [style.red(`      - ${a}`)]),
    ...(b === undefined ? [] : [style.green(`      + ${b}`)]),
  ]);
  return [title, ...details];
}
