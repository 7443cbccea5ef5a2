import { diffStates } from '../../pipeline/diff/diff.ts';
import type { DiffObject } from '../../pipeline/diff/report.ts';
import { liveSource } from '../../pipeline/sources.ts';
import type { ShownDifference } from '../../pipeline/show-value.ts';
import type { CheckContext, SiteCheck } from './check.ts';
import type { Findings } from './findings.ts';

/** Fields shown of one object. */
const MOST_FIELDS = 3;

/**
 * The restore has compared already what it wrote. A control plane of the drill's own is cut as a whole and compared with the point by the way of
 * `lifeboat diff`, which also finds what is there and should not be; a spare site holds other things.
 */
export const differencesCheck: SiteCheck = {
  id: 'differences',
  title: 'The cluster has what the point has, but for what rules explain',
  async run(context, found) {
    if (context.drill.spare) {
      for (const { object } of context.report.kept) found.note(object, 'the spare site has its own of this name, which was left as it is');
      const { verify } = context.report;
      found.looked(verify?.checked ?? 0);
      for (const { object, missing, differences } of verify?.details ?? []) found.fail(object, missing ? 'it is not there' : shown(differences));
      const named = verify?.details.length ?? 0;
      const all = (verify?.different ?? 0) + (verify?.missing ?? 0);
      if (all > named) found.fail('', `and ${all - named} more objects`, all - named);
    } else {
      await compareWhole(context, found);
    }
  },
};

async function compareWhole({ source, target, drill, report, signal }: CheckContext, found: Findings): Promise<void> {
  const live = await liveSource(target, { signal });
  const diff = await diffStates(source, live, { drill, signal });
  found.looked(diff.same + diff.removed + diff.changed);
  // What was refused is told by another check.
  const refused = new Set(report.failures.map(({ object }) => object));
  let told = 0;
  for (const object of diff.objects) {
    told += 1;
    if (!refused.has(object.object)) found.fail(object.object, messageOf(object));
  }
  const all = diff.added + diff.removed + diff.changed;
  if (all > told) found.fail('', `and ${all - told} more objects`, all - told);
}

function messageOf({ change, differences }: DiffObject): string {
  if (change === 'added') return 'it is in the cluster and not in the point';
  if (change === 'removed') return 'it is in the point and not in the cluster';
  return shown(differences ?? []);
}

function shown(differences: readonly ShownDifference[]): string {
  const fields = differences.slice(0, MOST_FIELDS).map(({ path, a, b }) => `${path}: ${a ?? 'nothing'} in the point, ${b ?? 'nothing'} in the cluster`);
  return `${fields.join('; ')}${differences.length > MOST_FIELDS ? `; and ${differences.length - MOST_FIELDS} more fields` : ''}`;
}
