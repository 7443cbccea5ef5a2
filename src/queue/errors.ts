import type { ErrorCode } from '../core/error-codes.ts';
import { LifeboatError, messageOf } from '../core/errors.ts';

/** A call to the queue's server that takes longer is given up: it is one small command. */
const CALL_MS = 15_000;

interface Kind {
  readonly code: ErrorCode;
  /** Codes of Node and of PostgreSQL. */
  readonly codes: RegExp;
  /** What Redis, Valkey and the drivers say. */
  readonly says: RegExp;
  readonly what: string;
  readonly hint: string;
}

const AWAY = 'Look whether its server runs, at its address under `queue` in lifeboat.yaml, and whether it wants TLS (`rediss://`).';

const KINDS: readonly Kind[] = [
  {
    code: 'LB_QUEUE_UNTRUSTED',
    codes: /^(CERT_|ERR_TLS_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/,
    says: /certificate|does not support SSL/i,
    what: 'did not prove that it is what it claims to be',
    hint: 'For a certificate of an authority of your own set NODE_EXTRA_CA_CERTS=FILE.',
  },
  {
    code: 'LB_QUEUE_ACCESS',
    codes: /^(28|42501|3D000)/,
    says: /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR invalid password|DENIED)|password must be a string/,
    what: 'refused',
    hint: 'Check user and password, and what the user may do: docs/queue.md says what it takes.',
  },
  {
    code: 'LB_QUEUE_FULL',
    codes: /^(53100|53200|ENOSPC)$/,
    says: /^(OOM |MISCONF )|OOM command not allowed/,
    what: 'has no room left',
    hint: 'Give its server more memory, or its disk more room.',
  },
  {
    code: 'LB_QUEUE_UNAVAILABLE',
    codes: /^(E(CONN|NOTFOUND|AI_AGAIN|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)|57P|08|53300|40P01|40001)/,
    says: /^(LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN)|connection is closed|connection terminated|timeout|timed out|stream isn't writeable|all sentinels|failed to refresh slots/i,
    what: 'did not answer',
    hint: AWAY,
  },
];

/**
 * What the queue's server or its driver threw, with a code. An error of another kind is given back as it is. The driver's error
 * is not kept as the cause: it may carry the command that failed, and that the password.
 */
export function queueError(error: unknown, where: string): unknown {
  if (error instanceof LifeboatError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const kind = KINDS.find((one) => one.codes.test(code) || one.says.test(error.message));
  return kind === undefined ? error : new LifeboatError(kind.code, `The queue ${kind.what}: ${(messageOf(error) || code).replace(/\.+$/, '')}.`, { where, hint: kind.hint });
}

/** A call to the queue's server, with its errors made ours. Rejects with `LB_QUEUE_UNAVAILABLE` when it takes too long. */
export async function calling<T>(where: string, call: () => Promise<T>, ms: number = CALL_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LifeboatError('LB_QUEUE_UNAVAILABLE', `The queue did not answer within ${ms / 1000} s.`, { where, hint: AWAY })), ms);
  });
  try {
    return await Promise.race([call(), tooLong]);
  } catch (error) {
    throw queueError(error, where);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for something, but no longer than so many milliseconds. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]).finally(() => clearTimeout(timer));
}
