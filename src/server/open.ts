import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Surroundings } from '../access/surroundings.ts';
import { closeVaults, openVaults } from '../access/vaults.ts';
import type { Config } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { LifeboatError } from '../core/errors.ts';
import type { JobService } from '../jobs/service.ts';
import { createApp } from './app.ts';
import { loadAuditKey } from './audit/load-key.ts';
import { openTrail } from './audit/trail.ts';
import { authenticator } from './auth/authenticate.ts';
import type { AppEnv, AppParts } from './parts.ts';
import { VaultPoints } from './vault-points.ts';

/** What is not in lifeboat.yaml. */
export interface ApiOptions extends Pick<AppParts, 'jobs' | 'log' | 'metrics' | 'redact' | 'stopping' | 'tracing' | 'version'> {
  readonly jobs: JobService;
  /** True where the process may sleep, or end, as soon as it has answered, as functions do: every answer then waits for its record. */
  readonly mayAnswerAndSleep?: boolean;
}

/** The API as lifeboat.yaml describes it. */
export interface Api {
  readonly app: OpenAPIHono<AppEnv>;
  /** Stores what is left of the audit trail and closes the vaults. The jobs' service stays open. */
  close(): Promise<void>;
}

/**
 * Puts the API together: `lifeboat serve` and the HTTP functions call this. Throws `LB_USAGE` when lifeboat.yaml has no `server`, and what
 * the audit key and the vaults throw.
 */
export async function openApi(surroundings: Surroundings, options: ApiOptions): Promise<Api> {
  const config = await surroundings.config();
  const { server } = config;
  if (server === undefined) throw noServer(config);
  const key = await loadAuditKey(surroundings, server.audit);
  const vaults = await openVaults(surroundings, [...config.vaults.values()]);
  try {
    const audit = await openTrail({
      vaults,
      key,
      clock: systemClock,
      warn: surroundings.warn,
      ...(options.mayAnswerAndSleep === true && { delay: 0 }),
      lock: server.audit.lock === undefined ? undefined : parseDuration(server.audit.lock),
      signal: surroundings.signal,
    });
    const app = createApp({
      ...options,
      config,
      authenticate: authenticator(server, systemClock),
      audit,
      points: new VaultPoints(surroundings, systemClock),
      clock: systemClock,
    });
    return {
      app,
      close: async () => {
        await audit.close();
        await closeVaults(vaults);
      },
    };
  } catch (error) {
    await closeVaults(vaults);
    throw error;
  }
}

export function noServer({ file }: Pick<Config, 'file'>): LifeboatError {
  return new LifeboatError('LB_USAGE', 'lifeboat.yaml does not describe a server', { where: file, hint: 'Add `server`: docs/api.md shows how.' });
}
