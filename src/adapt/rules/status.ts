import { typeName } from '../../site/types.ts';
import { removeAt } from '../json.ts';
import type { ChangeRule } from '../rule.ts';

/**
 * Runs last: other rules read the status. A type of custom resources without the status subresource
 * has a status that is data like any other, and keeps it.
 */
export const statusRule: ChangeRule = {
  id: 'status',
  types: ['*'],
  effect: 'change',
  routine: true,
  fields: ['status (of custom resources only where their definition has a status subresource for the version)'],
  why: 'Controllers write it through a door of its own, and in the target they write what is true there.',
  change: (object, facts, type) => {
    const custom = facts.customTypes.get(typeName(type));
    return (custom === undefined || custom.statusVersions.includes(type.version)) && removeAt(object, 'status');
  },
};
