import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { defaultCopies } from '../core/copies.ts';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { WriteKey } from '../keys/index.ts';
import { createSealer } from '../keys/sealing.ts';
import type { Vault } from '../vault/vault.ts';
import { withSilenceLimit } from '../vault/silence.ts';
import type { CopiesOptions, RepositoryWriter } from './api.ts';
import { Lanes } from './lanes.ts';
import { SITE_NAME } from './layout.ts';
import { startSession } from './session-start.ts';
import type { SeenObjects } from './seen-objects.ts';
import { Session } from './session.ts';
import { Storing } from './storing/storing.ts';
import { requireHeader } from './vault-header.ts';
import { lookInto } from './vault-view.ts';

/** A vault that gives no answer for so long is taken for gone, ms: longer than any driver tries. */
const SILENCE = 180_000;

/** A vault that did not answer when the repository was opened is left out of backups that begin within this, ms, and not asked again. */
const STILL_AWAY = 60_000;

/** What opening a repository for writing takes. */
export interface OpenWriterOptions extends CopiesOptions {
  /** The vaults of the repository: one or more. */
  readonly vaults: readonly Vault[];
  readonly writeKey: WriteKey;
  readonly clock?: Clock;
  readonly onWarning?: OnWarning;
  readonly signal?: AbortSignal;
  /** A vault that gives no answer for so long is taken for gone, ms. Default: three minutes. */
  readonly silence?: number;
  /** What this process has read before. */
  readonly seen?: SeenObjects | undefined;
}

/**
 * Opens a repository to add points to it. Every vault is looked at; one that cannot be used is warned about and tried
 * again when a backup begins (one that did not answer, only when that is a minute later). Throws what is wrong (`LB_REPO_*`, `LB_KEY_WRONG`, `LB_VAULT_*`) when none can be used.
 * The vaults stay the caller's to close.
 */
export async function openWriter(options: OpenWriterOptions): Promise<RepositoryWriter> {
  const { writeKey, clock = systemClock } = options;
  if (options.vaults.length === 0) throw new LifeboatError('LB_USAGE', 'A repository needs at least one vault');
  const vaults = options.vaults.map((vault) => withSilenceLimit(vault, options.silence ?? SILENCE));
  const sealer = await createSealer(writeKey.sealingPublicKey);
  const away = new Map<Vault, { readonly error: unknown; readonly at: number }>();
  await new Lanes(vaults, options).each(async (vault) => {
    try {
      await requireHeader(vault, writeKey, options.signal);
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_UNAVAILABLE')) away.set(vault, { error, at: clock.now() });
      throw error;
    }
  });
  return {
    id: writeKey.repositoryId,
    async begin(site, session = {}) {
      if (!SITE_NAME.test(site)) throw new LifeboatError('LB_USAGE', `"${site}" cannot be the name of a site`);
      const abort = new AbortController();
      session.signal?.throwIfAborted();
      // Not `AbortSignal.any`: what listens to a signal made by that stays in memory for ever, and with it the session.
      const stop = (): void => abort.abort(session.signal?.reason);
      session.signal?.addEventListener('abort', stop, { once: true });
      const release = (): void => session.signal?.removeEventListener('abort', stop);
      const { signal } = abort;
      try {
        const startedAt = clock.now();
        const copies = session.copies ?? options.copies ?? defaultCopies(vaults.length);
        const lanes = new Lanes(vaults, { signal, onWarning: session.onWarning });
        const views = await lanes.each((vault) => {
          const { error, at } = away.get(vault) ?? {};
          if (at !== undefined && startedAt - at < STILL_AWAY) throw error;
          return lookInto(vault, writeKey, signal, session.onWarning);
        });
        const storing = new Storing([...views.keys()], {
          copies,
          memory: session.memory ?? options.memory,
          patience: session.patience ?? options.patience,
          clock,
          startedAt,
          signal,
          onProgress: session.onProgress,
          onWarning: session.onWarning,
        });
        const start = await startSession({ site, key: writeKey, views, storing, copies, seen: options.seen }, { ...session, signal });
        const parts = { site, key: writeKey, sealer, storing, dropped: lanes.dropped, copies, start, clock, abort, release, startedAt };
        return new Session({ ...parts, signal }, session);
      } catch (error) {
        abort.abort(error);
        release();
        throw error;
      }
    },
    close: () => Promise.resolve(),
  };
}
