import { nameEntry } from '../../pipeline/restore/run.ts';
import { whyAbsent } from './absent-types.ts';
import type { SiteCheck } from './check.ts';

export const acceptedCheck: SiteCheck = {
  id: 'accepted',
  title: 'The API server took every object of the point',
  run(context, found) {
    const { plan, report } = context;
    const { dropped: _, ...rest } = report.objects;
    found.looked(Object.values(rest).reduce((sum, count) => sum + count, 0));
    const excused = new Set<string>();
    for (const entry of plan.entries) {
      const type = plan.types[entry.type];
      const why = entry.action !== 'unsupported' || type === undefined ? undefined : whyAbsent(type.group, context);
      if (type === undefined || why === undefined) continue;
      const label = nameEntry(type, entry);
      excused.add(label);
      found.note(label, why);
    }
    for (const { object, outcome, reason } of report.failures) if (!excused.has(object)) found.fail(object, `${outcome}: ${reason}`);
    return Promise.resolve();
  },
};
