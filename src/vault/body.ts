import type { Readable } from 'node:stream';
import { Alarm } from '../core/alarm.ts';
import { endedEarly, VaultError } from './errors.ts';
import type { Remote, RemoteCall } from './remote.ts';
import { withCleanup } from './streams.ts';

/** The checksum that a store gave of the bytes that are to come. */
export interface Checksum {
  update(bytes: Uint8Array): unknown;
  /** Whether what came has this checksum; asked once, after the last byte. */
  matches(): boolean;
}

/** A body that is to be read. */
export interface BodyToRead extends RemoteCall {
  /** Bytes announced. */
  readonly length: number;
  /** For the next byte to come while one is waited for. A slow consumer is no failure. */
  readonly idleMs: number;
  readonly checksum?: Checksum | undefined;
}

/**
 * The bytes of an answer's body. Fails with `LB_VAULT_UNAVAILABLE` when it breaks off, ends early or stalls, with
 * `LB_VAULT_GARBLED` when they do not have the checksum, and with the signal's reason when that fires. The connection is given up when the consumer leaves early.
 */
export function readBody(remote: Remote, body: Readable, wanted: BodyToRead): AsyncIterable<Uint8Array> {
  // A connection may break before anybody reads; the reader is told when it comes.
  body.on('error', () => {});
  return withCleanup(readParts(remote, body, wanted), async () => {
    body.destroy();
  });
}

async function* readParts(
  remote: Remote,
  body: Readable,
  wanted: BodyToRead,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { key = '', length, idleMs, signal, checksum } = wanted;
  let waiting = true;
  let stalled = false;
  const alarm = new Alarm(idleMs, () => {
    if (!waiting) return;
    stalled = true;
    body.destroy();
  });
  const onAbort = (): void => {
    body.destroy();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  let received = 0;
  try {
    signal?.throwIfAborted();
    for await (const part of body as AsyncIterable<Uint8Array>) {
      waiting = false;
      received += part.byteLength;
      checksum?.update(part);
      yield part;
      waiting = true;
      alarm.restart();
    }
    signal?.throwIfAborted();
    if (received !== length) throw endedEarly(remote.vault, key, received, length);
    if (checksum?.matches() === false) throw garbled(remote.vault, key);
  } catch (error) {
    if (stalled) throw remote.tooSlow(wanted, idleMs);
    throw await remote.explain(error, wanted);
  } finally {
    alarm.stop();
    signal?.removeEventListener('abort', onAbort);
    body.destroy();
  }
}

function garbled(vault: string, key: string): VaultError {
  const message = `The bytes that came do not have the checksum that the store gave with them`;
  return new VaultError('LB_VAULT_GARBLED', vault, message, { key, hint: 'Try again; `lifeboat verify` shows whether what is stored is whole.' });
}
