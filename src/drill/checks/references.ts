import { keyOf, nameOf, namespaceOf, objectKey, parseObject, textAt } from '../../adapt/json.ts';
import type { RestorePlan } from '../../pipeline/restore/plan.ts';
import { systemClock } from '../../core/clock.ts';
import { typeName } from '../../site/types.ts';
import type { CutType, StateSource } from '../../site/types.ts';
import type { CheckResult } from '../report.ts';
import { bindingsCheck } from './bindings.ts';
import type { CheckContext, ReferenceCheck, Subject } from './check.ts';
import { classesCheck } from './classes.ts';
import { Findings } from './findings.ts';
import { imagesCheck } from './images.ts';
import { podReferencesCheck } from './pod-references.ts';
import { routesCheck } from './routes.ts';
import { webhooksCheck } from './webhooks.ts';

/** Checks of what objects refer to, in the order of the report. */
export const REFERENCE_CHECKS: readonly ReferenceCheck[] = [imagesCheck, podReferencesCheck, classesCheck, bindingsCheck, routesCheck, webhooksCheck];

/** The type of definitions, as `typeName` writes it. */
export const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

/** Types whose names the inventory has to have. */
export const NEEDED_TYPES: readonly string[] = [...new Set([DEFINITIONS, ...REFERENCE_CHECKS.flatMap(({ needs }) => needs)])];

/**
 * Goes once through the objects of the point that were restored, as the point has them: what a drill changes in them is not what
 * refers to others in a real restore.
 */
export async function checkReferences(context: CheckContext, progress: (done: number) => void): Promise<CheckResult[]> {
  const { source, plan, inventory, signal } = context;
  const running = REFERENCE_CHECKS.map((check) => ({ check, found: new Findings(), seconds: 0 }));
  const begun = systemClock.now();
  let done = 0;
  for (const type of source.summary.types) {
    const interested = running.filter(({ check }) => check.types.includes(typeName(type)));
    if (type.count === 0 || interested.length === 0) continue;
    const left = leftOut(plan, type);
    for await (const subject of subjects(source, type, signal)) {
      if (left.has(objectKey(subject.namespace, subject.name))) continue;
      for (const { check, found } of interested) check.look(subject, inventory, found);
      progress((done += 1));
    }
  }
  const seconds = (systemClock.now() - begun) / 1000 / running.length;
  return running.map(({ check, found }) => found.result(check, seconds));
}

/** Groups whose APIService leads to a Service: those of the API server itself, and of definitions, do not. */
export async function aggregatedGroups(source: StateSource, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const groups = new Set<string>();
  for (const type of source.summary.types) {
    if (typeName(type) !== 'apiservices.apiregistration.k8s.io') continue;
    for await (const { object } of subjects(source, type, signal)) if (textAt(object, 'spec', 'service', 'name') !== '') groups.add(textAt(object, 'spec', 'group'));
  }
  return groups;
}

async function* subjects(source: StateSource, type: CutType, signal: AbortSignal | undefined): AsyncGenerator<Subject> {
  for await (const bytes of source.objects(type, { signal })) {
    const object = parseObject(bytes);
    yield { type, object, namespace: namespaceOf(object), name: nameOf(object), label: `${type.kind} ${keyOf(object)}` };
  }
}

/** What the plan does not restore. */
function leftOut(plan: RestorePlan, { group, resource }: CutType): ReadonlySet<string> {
  const place = plan.types.findIndex((type) => type.group === group && type.resource === resource);
  const left = new Set<string>();
  for (const { type, action, namespace, name } of plan.entries) if (type === place && (action === 'drop' || action === 'unsupported')) left.add(objectKey(namespace, name));
  return left;
}
