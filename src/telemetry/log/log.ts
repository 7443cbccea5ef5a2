import { pino } from 'pino';
import type { Logger } from 'pino';
import { isAbort, isLifeboatError } from '../../core/errors.ts';
import type { Redactor } from '../../core/redact.ts';
import { activeIds } from '../traces/active.ts';
import { plain } from './plain.ts';
import type { Plain } from './plain.ts';
import { forTerminal } from './terminal.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What lines carry beside their message. Names are stable, and documented in docs/monitoring.md; others may be added. */
export interface LogFields {
  /** Id of the job. */
  readonly job?: string | undefined;
  readonly kind?: string | undefined;
  readonly plan?: string | undefined;
  readonly site?: string | undefined;
  readonly vault?: string | undefined;
  /** Of an error: docs/errors.md. */
  readonly code?: string | undefined;
  readonly where?: string | undefined;
  readonly hint?: string | undefined;
  readonly attempt?: number | undefined;
  readonly outcome?: string | undefined;
  readonly seconds?: number | undefined;
  readonly phase?: string | undefined;
  /** Kind of a warning. */
  readonly warning?: string | undefined;
  /** Anything that was thrown. */
  readonly err?: unknown;
  readonly [name: string]: unknown;
}

/** Says what happens, to those who run lifeboat. Never throws. */
export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same with these fields in every line. */
  with(fields: LogFields): Log;
}

/** Where lines go. */
export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface LogOptions {
  readonly redactor: Redactor;
  /** Default: stderr. */
  readonly stream?: LogStream;
  readonly env?: NodeJS.ProcessEnv;
  readonly level?: LogLevel;
}

/** Members that lines have themselves. */
const OWN: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'trace_id', 'span_id']);

/**
 * A log of JSON lines (short ones for people on a terminal). The level is that of `LIFEBOAT_LOG`, else `info`. Nothing that the
 * redactor was told, nor what is secret by its looks, gets into it, however it is wrapped.
 */
export function createLog({ redactor, stream = process.stderr, env = process.env, level = levelOf(env) }: LogOptions): Log {
  const people = stream.isTTY === true && env['TERM'] !== 'dumb';
  const dress = people ? forTerminal((env['NO_COLOR'] ?? '') === '') : (line: string) => line;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      mixin: activeIds,
      // It is plain already; pino's own would take it for an error once more.
      serializers: { err: (err: Plain) => err },
    },
    {
      write(line: string) {
        try {
          stream.write(dress(lastLook(line, redactor)));
        } catch {
          // Whoever reads the log is gone; the work is not for him.
        }
      },
    },
  );
  return new PinoLog(logger, redactor, {});
}

/** The level that `LIFEBOAT_LOG` names; `info` when it names none. */
export function levelOf(env: NodeJS.ProcessEnv): LogLevel {
  const wanted = env['LIFEBOAT_LOG']?.toLowerCase();
  return LOG_LEVELS.find((level) => level === wanted) ?? 'info';
}

class PinoLog implements Log {
  readonly #logger: Logger;
  readonly #redactor: Redactor;
  readonly #fields: LogFields;

  constructor(logger: Logger, redactor: Redactor, fields: LogFields) {
    this.#logger = logger;
    this.#redactor = redactor;
    this.#fields = fields;
  }

  trace(message: string, fields?: LogFields): void {
    this.#say('trace', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#say('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#say('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#say('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#say('error', message, fields);
  }

  with(fields: LogFields): Log {
    return new PinoLog(this.#logger, this.#redactor, { ...this.#fields, ...fields });
  }

  #say(level: Exclude<LogLevel, 'silent'>, message: string, fields: LogFields = {}): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    const all = { ...this.#fields, ...fields };
    const told = plain(ownFirst({ ...codeOf(all.err), ...all }), this.#redactor) as { readonly [name: string]: Plain };
    this.#logger[level](told, this.#redactor.redact(message));
  }
}

/** What can be looked for by its code, without looking into `err`. */
function codeOf(error: unknown): LogFields {
  if (isLifeboatError(error)) return { code: error.code, where: error.where, hint: error.hint };
  return isAbort(error) ? { code: 'LB_INTERRUPTED' } : {};
}

function ownFirst(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[OWN.has(name) ? `${name}_` : name, value]])));
}

/**
 * Every part of a line is redacted by itself, which keeps it JSON. A secret that is itself JSON may still be put together by the
 * line: then nothing of it is shown.
 */
function lastLook(line: string, redactor: Redactor): string {
  if (!redactor.holds(line)) return line;
  const bare = `${JSON.stringify({ level: 'warn', msg: 'A line was left out: it held a secret' })}\n`;
  return redactor.holds(bare) ? '' : bare;
}
