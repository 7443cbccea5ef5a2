import { objectsAt, parseObject } from '../../adapt/json.ts';
import { getObject } from '../../site/apply.ts';
import { typeName } from '../../site/types.ts';
import { maybeBuiltIn, whyAbsent } from './absent-types.ts';
import type { SiteCheck } from './check.ts';

const DEFINITIONS = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions', kind: 'CustomResourceDefinition' };

export const definitionsCheck: SiteCheck = {
  id: 'definitions',
  title: 'Every custom resource has its definition, and the cluster serves it',
  async run(context, found) {
    const { plan, target, signal } = context;
    const used = new Set(plan.entries.filter(({ action }) => action !== 'drop').map(({ type }) => type));
    for (const place of used) {
      const type = plan.types[place];
      if (type === undefined || whyAbsent(type.group, context) !== undefined) continue;
      const name = typeName(type);
      const raw = type.group.includes('.') ? await getObject(target, DEFINITIONS, '', name, { signal }) : undefined;
      if (raw === undefined) {
        if (maybeBuiltIn(type.group)) continue;
        const count = plan.entries.filter((entry) => entry.type === place && entry.action !== 'drop').length;
        found.looked();
        found.fail(`${type.kind} (${name})`, `it has no definition: ${count} object${count === 1 ? '' : 's'} of the point cannot be restored`);
        continue;
      }
      found.looked();
      const established = objectsAt(parseObject(raw), 'status', 'conditions').some(({ type: condition, status }) => condition === 'Established' && status === 'True');
      if (!established) found.fail(`CustomResourceDefinition ${name}`, 'the cluster does not serve it');
    }
  },
};
