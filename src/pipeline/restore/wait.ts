import { systemClock } from '../../core/clock.ts';
import { isLifeboatError } from '../../core/errors.ts';
import { isObject, objectAt, parseObject } from '../../adapt/json.ts';
import { canonicalJson } from '../../adapt/canonical.ts';
import { getObject } from '../../site/apply.ts';
import { discover, findType } from '../../site/discover.ts';
import { typeName } from '../../site/types.ts';
import { waitFor, waitForTypes } from '../../site/wait.ts';
import { targetType } from './run.ts';
import type { RestoreRun } from './run.ts';
import { waveNumber } from './waves.ts';

const DEFINITIONS_MS = 60_000;
/** For all of them together. */
const QUOTAS_MS = 15_000;

/** Waits until the target serves the types whose definitions were restored. What takes too long is only warned of. */
export async function waitForDefinitions(run: RestoreRun): Promise<void> {
  const failed = new Set<string>();
  const written = new Set<number>();
  for (const [place, entry] of run.plan.entries.entries()) {
    if (run.results.outcome(place) === undefined) written.add(entry.type);
    if (entry.wave === waveNumber('definitions') && run.results.outcome(place) === 'failed') failed.add(entry.name);
  }
  const discovery = await discover(run.target, { signal: run.signal });
  const missing = run.plan.types
    .filter((type, place) => written.has(place) && !failed.has(typeName(type)))
    .map(targetType)
    .filter((type) => findType(discovery, type)?.versions.includes(type.version) !== true);
  if (missing.length === 0) return;
  try {
    await waitForTypes(run.target, missing, { signal: run.signal, timeoutMs: DEFINITIONS_MS });
  } catch (error) {
    if (!isLifeboatError(error, 'LB_DEADLINE')) throw error;
    run.warn({ kind: 'types-not-served', message: error.message });
  }
}

/**
 * Waits until the quotas that were restored count: until then they let everything pass. Only a controller manager makes
 * them count, so without one this does not wait.
 */
export async function waitForQuotas(run: RestoreRun): Promise<void> {
  const quotas = run.plan.entries
    .filter((entry, place) => typeName(run.typeOf(entry)) === 'resourcequotas' && run.results.outcome(place) === 'created')
    .map(({ namespace, name }) => ({ namespace, name }));
  if (quotas.length === 0 || !(await hasControllers(run))) return;
  const deadline = systemClock.now() + QUOTAS_MS;
  for (const quota of quotas) {
    try {
      await waitFor(`quota ${quota.namespace}/${quota.name} to count`, () => counts(run, quota), { signal: run.signal, timeoutMs: Math.max(0, deadline - systemClock.now()) });
    } catch (error) {
      if (!isLifeboatError(error, 'LB_DEADLINE')) throw error;
      run.warn({ kind: 'quota-not-counting', message: error.message, where: `ResourceQuota ${quota.namespace}/${quota.name}` });
    }
  }
}

/** A controller manager publishes the cluster's authority in every namespace; nobody else does, and no restore either. */
async function hasControllers(run: RestoreRun): Promise<boolean> {
  return (await getObject(run.target, CONFIG_MAP, 'kube-system', 'kube-root-ca.crt', { signal: run.signal })) !== undefined;
}

const CONFIG_MAP = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' };
const QUOTA = { group: '', version: 'v1', resource: 'resourcequotas', kind: 'ResourceQuota' };

async function counts(run: RestoreRun, quota: { readonly namespace: string; readonly name: string }): Promise<true | undefined> {
  const raw = await getObject(run.target, QUOTA, quota.namespace, quota.name, { signal: run.signal });
  if (raw === undefined) return true;
  const object = parseObject(raw);
  const hard = objectAt(object, 'spec')?.['hard'] ?? {};
  const known = objectAt(object, 'status')?.['hard'];
  return isObject(known) && canonicalJson(known) === canonicalJson(hard) ? true : undefined;
}
