import { LifeboatError } from '../../core/errors.ts';
import type { QueueWarning } from '../queue.ts';

/** Since which version each has what the queue's scripts use, and is kept up by its makers. */
const OLDEST: Readonly<Record<string, string>> = { Redis: '6.2.0', Valkey: '7.2.0' };

/** What a server says about itself. */
export interface ServerFacts {
  readonly product: string;
  readonly warnings: readonly QueueWarning[];
}

/**
 * Judges a server by its answer to `INFO`, which managed services give, while many forbid `CONFIG`. Throws `LB_QUEUE_UNSUITABLE` when
 * jobs could be lost on it although it runs well: it is too old, or evicts keys when memory runs short. What is lost only when it
 * dies, or could not be seen, is a warning.
 */
export function judgeServer(info: string, where: string): ServerFacts {
  const facts = new Map(info.split(/\r?\n/).flatMap((line) => {
    const [, name, value] = /^([a-z_]+):(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  }));
  const valkey = facts.get('valkey_version');
  const name = valkey === undefined ? 'Redis' : 'Valkey';
  const version = valkey ?? facts.get('redis_version');
  const oldest = OLDEST[name] ?? '';
  if (version !== undefined && isOlder(version, oldest)) {
    throw new LifeboatError('LB_QUEUE_UNSUITABLE', `The queue's server is ${name} ${version}, and ${oldest} is the oldest that can be used.`, {
      where,
      hint: 'Upgrade the server.',
    });
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new LifeboatError('LB_QUEUE_UNSUITABLE', `The queue's server deletes keys when its memory runs short (maxmemory-policy ${policy}): jobs would be lost.`, {
      where,
      hint: 'Set `maxmemory-policy noeviction` on the server, or in the parameter group of a managed one.',
    });
  }
  const warnings: QueueWarning[] = [];
  if (policy === undefined || version === undefined) {
    warnings.push({
      message: 'The queue\'s server does not say its version or whether it evicts keys, so that could not be checked.',
      hint: 'Make sure that its maxmemory-policy is noeviction.',
    });
  }
  const appendOnly = facts.get('aof_enabled');
  if (appendOnly === undefined) {
    warnings.push({ message: 'The queue\'s server does not say whether it keeps an append-only file.', hint: 'Make sure that what it holds outlives a restart.' });
  } else if (appendOnly !== '1') {
    warnings.push({
      message: 'The queue\'s server keeps no append-only file: when it dies, jobs that wait are lost until the next tick finds that they are due.',
      hint: 'Set `appendonly yes` and `appendfsync everysec`.',
    });
  }
  return { product: version === undefined ? name : `${name} ${version}`, warnings };
}

function isOlder(version: string, than: string): boolean {
  const [a = 0, b = 0, c = 0] = version.split('.').map(Number);
  const [x = 0, y = 0, z = 0] = than.split('.').map(Number);
  return a - x < 0 || (a === x && (b - y < 0 || (b === y && c < z)));
}
