import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { WriteKey } from '../keys/index.ts';
import { createSealer } from '../keys/sealing.ts';
import type { Vault } from '../vault/vault.ts';
import type { RepositoryWriter } from './api.ts';
import { Lanes } from './lanes.ts';
import { SITE_NAME } from './layout.ts';
import { startSession } from './session-start.ts';
import { Session } from './session.ts';
import { requireHeader } from './vault-header.ts';

/** What opening a repository for writing takes. */
export interface OpenWriterOptions {
  /** The vaults of the repository: one or more. */
  readonly vaults: readonly Vault[];
  readonly writeKey: WriteKey;
  readonly clock?: Clock;
  readonly onWarning?: OnWarning;
  readonly signal?: AbortSignal;
}

/**
 * Opens a repository to add points to it. Every vault is looked at; one that cannot be used is warned about and tried
 * again when a backup begins. Throws what is wrong (`LB_REPO_*`, `LB_KEY_WRONG`, `LB_VAULT_*`) when none can be used.
 * The vaults stay the caller's to close.
 */
export async function openWriter(options: OpenWriterOptions): Promise<RepositoryWriter> {
  const { vaults, writeKey, clock = systemClock } = options;
  if (vaults.length === 0) throw new LifeboatError('LB_USAGE', 'A repository needs at least one vault');
  const sealer = await createSealer(writeKey.sealingPublicKey);
  await new Lanes(vaults, options).each((vault) => requireHeader(vault, writeKey, options.signal));
  return {
    id: writeKey.repositoryId,
    async begin(site, session = {}) {
      if (!SITE_NAME.test(site)) throw new LifeboatError('LB_USAGE', `"${site}" cannot be the name of a site`);
      const abort = new AbortController();
      const signal = session.signal === undefined ? abort.signal : AbortSignal.any([session.signal, abort.signal]);
      signal.throwIfAborted();
      const startedAt = clock.now();
      const lanes = new Lanes(vaults, { signal, onWarning: session.onWarning });
      const start = await startSession(site, writeKey, lanes, { ...session, signal });
      return new Session({ site, key: writeKey, sealer, lanes, start, clock, abort, signal, startedAt }, session);
    },
    close: () => Promise.resolve(),
  };
}
