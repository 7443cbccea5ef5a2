import type { Config } from '../config/load.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Redactor } from '../core/redact.ts';
import type { JobService } from '../jobs/service.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import { VERSION } from './version.ts';

/** What the API is opened with. */
export interface ApiAccess {
  readonly env: NodeJS.ProcessEnv;
  readonly config: Config;
  readonly jobs: JobService;
  readonly tracing: Tracing;
  readonly redactor: Redactor;
  readonly warn: OnWarning;
  readonly onError: (error: unknown) => void;
}

/** The HTTP API, request by request. `address`: whose it is, as far as that is known. */
export type FunctionApi = (request: Request, address: string) => Promise<Response>;

/**
 * The API of `lifeboat serve`, for a process that may sleep as soon as it has answered. Tokens are verified by it, whatever stands before it. Throws
 * what the audit key and the vaults throw.
 */
export async function openFunctionApi({ env, config, jobs, tracing, redactor, warn, onError }: ApiAccess): Promise<FunctionApi> {
  const [{ openApi }, { WorkSurroundings }] = await Promise.all([import('../server/open.ts'), import('../jobs/surroundings.ts')]);
  const settings = { env, configFile: config.file, redactor, loadConfig: () => Promise.resolve(config) };
  const surroundings = new WorkSurroundings(settings, new AbortController().signal, warn);
  const { app } = await openApi(surroundings, {
    jobs,
    tracing,
    version: VERSION,
    redact: (text) => redactor.redact(text),
    log: ({ error }) => {
      if (error !== undefined) onError(error);
    },
    mayAnswerAndSleep: true,
  });
  return async (request, address) => app.fetch(request, { peer: { address } });
}
