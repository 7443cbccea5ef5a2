import type { z } from 'zod';
import type { planDocument } from '../../server/documents.ts';
import type { Style } from '../style.ts';
import { formatCount } from '../text.ts';

/** Objects of each kind that are named. */
const NAMED = 20;

/** A plan as a server gives it, for people. */
export function remotePlanText(plan: z.output<typeof planDocument>, style: Style): string {
  const named = (title: string, objects: readonly string[] = []): string[] =>
    objects.length === 0 ? [] : [`  ${title}: ${objects.slice(0, NAMED).join(', ')}${objects.length > NAMED ? ', …' : ''}`];
  const name = (of: Record<string, unknown>, field: string): string => (typeof of[field] === 'string' ? of[field] : '');
  return [
    `${style.bold(name(plan.source, 'label'))} ${style.bold('→')} ${style.bold(name(plan.target, 'name'))}`,
    ...Object.entries(plan.actions).filter(([, count]) => count > 0).map(([action, count]) => `  ${formatCount(count)} ${action}`),
    ...named('would be changed', plan.update),
    ...named('there already, and differ', plan.conflict),
    ...named('the target cannot have', plan.unsupported),
    ...(plan.warnings ?? []).map(({ message, where }) => `  ${style.yellow('warning:')} ${message}${where === undefined ? '' : ` (${where})`}`),
    `  digest: ${plan.digest}`,
  ].join('\n');
}
