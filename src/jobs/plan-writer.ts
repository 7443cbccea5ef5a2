import { loadWriteKey } from '../access/key-files.ts';
import type { NamedPlan } from '../access/plans.ts';
import { connectChosen } from '../access/sites.ts';
import type { Surroundings } from '../access/surroundings.ts';
import { chosenVaults, closeVaults, openVaults } from '../access/vaults.ts';
import type { PlanConfig } from '../config/schema.ts';
import { parseDuration } from '../core/duration.ts';
import { copiesOf } from '../placement/copies.ts';
import { refuseBrokenPromise } from '../placement/refuse.ts';
import type { CopiesOptions, RepositoryWriter } from '../repository/api.ts';
import type { SiteConnection } from '../site/connect.ts';
import { withLock } from '../vault/locking.ts';
import type { Vault } from '../vault/vault.ts';

/** What a backup of a plan works with. */
export interface PlanWriter {
  readonly writer: RepositoryWriter;
  readonly connection: SiteConnection;
  /** Those of the plan's vaults that could be opened. */
  readonly vaults: readonly Vault[];
}

/**
 * Opens the vaults of a plan for writing, and the way to its site, and closes them when `body` is done.
 * Throws `LB_PLACEMENT_BROKEN` when the plan does not keep its promise, `LB_KEY_…`, `LB_VAULT_…`, `LB_REPO_…`, `LB_SITE_CONFIG`.
 */
export async function withPlanWriter<T>(surroundings: Surroundings, { name, plan }: NamedPlan, body: (parts: PlanWriter) => Promise<T>): Promise<T> {
  const config = await surroundings.config();
  refuseBrokenPromise(config, name, plan);
  const writeKey = await loadWriteKey(surroundings);
  const opened = await openVaults(surroundings, await chosenVaults(surroundings, {}, plan.vaults));
  const lock = plan.lock === undefined ? undefined : parseDuration(plan.lock);
  const vaults = lock === undefined ? opened : opened.map((vault) => withLock(vault, lock));
  try {
    const { openWriter } = await import('../repository/index.ts');
    const writer = await openWriter({ vaults, writeKey, ...copiesOptions(plan), seen: surroundings.seen, signal: surroundings.signal, onWarning: surroundings.warn });
    const connection = await connectChosen(surroundings, { site: plan.site });
    try {
      return await body({ writer, connection, vaults });
    } finally {
      await connection.close();
      await writer.close();
    }
  } finally {
    await closeVaults(vaults);
  }
}

/** How the plan wants its vaults treated. */
function copiesOptions(plan: PlanConfig): CopiesOptions {
  const { memoryMiB, patience } = plan.slowVaults ?? {};
  return {
    copies: copiesOf(plan),
    memory: memoryMiB === undefined ? undefined : memoryMiB * 1024 * 1024,
    patience: patience === undefined ? undefined : parseDuration(patience),
  };
}
