import { messageOf } from '../../core/errors.ts';
import type { Redactor } from '../../core/redact.ts';
import type { Log } from '../log/log.ts';
import { NO_TRACING } from './tracing.ts';
import type { Tracing } from './tracing.ts';

export interface TracingOptions {
  readonly redactor: Redactor;
  readonly log: Pick<Log, 'warn'>;
  readonly env?: NodeJS.ProcessEnv;
  readonly version?: string;
}

/**
 * Traces go to where `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) says, as OTLP over HTTP; without either,
 * nothing of it is loaded. What cannot be sent, for such an address above all, costs a line of the log and no work.
 */
export async function startTracing({ env = process.env, ...options }: TracingOptions): Promise<Tracing> {
  const url = tracesUrl(env);
  if (url === undefined) return NO_TRACING;
  const { OtelTracing } = await import('./otel.ts');
  try {
    return OtelTracing.start(url, { env, ...options });
  } catch (error) {
    options.log.warn('Traces are not sent', { err: messageOf(error) });
    return NO_TRACING;
  }
}

/** Where traces are sent to by the environment; undefined when they are not. */
export function tracesUrl(env: NodeJS.ProcessEnv): string | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER']?.trim() === 'none') return undefined;
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']?.trim() ?? '';
  if (own !== '') return own;
  const shared = env['OTEL_EXPORTER_OTLP_ENDPOINT']?.trim() ?? '';
  return shared === '' ? undefined : `${shared.replace(/\/$/, '')}/v1/traces`;
}
