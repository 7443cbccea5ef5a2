import { typeName } from '../../site/types.ts';
import type { SiteCheck } from './check.ts';

export const completeCheck: SiteCheck = {
  id: 'complete',
  title: 'The point holds everything that the site had',
  run({ source, aggregated }, found) {
    for (const type of source.summary.types) {
      found.looked();
      if (type.fidelity !== 'missing') continue;
      const message = `it could not be read when the point was made: ${type.reason ?? 'no reason is known'}`;
      // What a workload serves comes and goes with it, and mostly keeps nothing. Of an API that does not answer nobody knows what it serves.
      if (aggregated.has(type.group) || type.resource === '*') found.note(typeName(type), message);
      else found.fail(typeName(type), message);
    }
    return Promise.resolve();
  },
};
