import { unlockVaults } from '../../access/repository.ts';
import { chosenVaults, closeVaults, openVaults } from '../../access/vaults.ts';
import type { JobOf } from '../job.ts';
import { retentionOf } from '../retention.ts';
import type { Step, StepOutcome } from '../step.ts';

/** Removes what no plan keeps, makes locks longer, and frees room. A step that has no more time is simply done again. */
export async function retainJob(_job: JobOf<'retain'>, { surroundings, onProgress, until }: Step): Promise<StepOutcome> {
  const config = await surroundings.config();
  const configs = await chosenVaults(surroundings, {});
  const vaults = await openVaults(surroundings, configs);
  const signal = AbortSignal.any([surroundings.signal, until]);
  try {
    const key = await unlockVaults(surroundings, vaults, {}, 'maintain');
    const { retain } = await import('../../pipeline/retain/retain.ts');
    const sites = retentionOf(config, [...config.plans.values()].map((plan) => plan.site));
    const told = { signal, onProgress, onWarning: surroundings.warn };
    const { points } = await retain({ vaults, key, sites, ...told });
    const removed = points.filter(({ fate }) => fate === 'removed').length;
    const failed = points.filter(({ fate }) => fate === 'failed' || fate === 'unreadable').length;
    // What a vault that is away holds may be needed there: a sweep needs every one.
    const away = configs.map(({ name }) => name).filter((name) => !vaults.some((vault) => vault.name === name));
    if (away.length > 0) return { done: { removed, failed, kept: points.length - removed, swept: false, away } };
    const { sweep } = await import('../../repository/index.ts');
    const swept = await sweep({ vaults, key, ...told });
    const deleted = swept.vaults.reduce((sum, vault) => sum + vault.deleted, 0);
    const bytes = swept.vaults.reduce((sum, vault) => sum + vault.bytes, 0);
    return { done: { removed, failed, kept: points.length - removed, swept: true, deleted, bytes, waiting: swept.waiting } };
  } catch (error) {
    surroundings.signal.throwIfAborted();
    if (until.aborted) return { again: {} };
    throw error;
  } finally {
    await closeVaults(vaults);
  }
}
