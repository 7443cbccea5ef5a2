import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** What happens to a body on its way. Bytes are counted from 0. */
export type BodyFault =
  /** After so many bytes, both connections are reset. */
  | { readonly cutAfter: number }
  /** After so many bytes nothing more comes, and the connections stay open. */
  | { readonly hangAfter: number }
  /** One bit of this byte is flipped. */
  | { readonly flipAt: number }
  /** Not more than so many bytes a second. */
  | { readonly bytesPerSecond: number };

/** The connection is to be reset now. */
export class CutOnPurpose extends Error {}

/** Passes a body on with back-pressure, and with what is to happen to it. Rejects when either side breaks. */
export async function forward(from: Readable, to: Writable, fault?: BodyFault): Promise<void> {
  let passed = 0;
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const end = passed + chunk.length;
    if (fault !== undefined && 'cutAfter' in fault && end >= fault.cutAfter) {
      await flush(to, chunk.subarray(0, fault.cutAfter - passed));
      throw new CutOnPurpose('cut on purpose');
    }
    if (fault !== undefined && 'hangAfter' in fault && end >= fault.hangAfter) {
      await write(to, chunk.subarray(0, fault.hangAfter - passed));
      await once(to, 'close');
      return;
    }
    if (fault !== undefined && 'bytesPerSecond' in fault) {
      const ms = (chunk.length / fault.bytesPerSecond) * 1000;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    const flips = fault !== undefined && 'flipAt' in fault && fault.flipAt >= passed && fault.flipAt < end;
    await write(to, flips ? flipped(chunk, fault.flipAt - passed) : chunk);
    passed = end;
  }
  to.end();
}

async function write(to: Writable, chunk: Buffer): Promise<void> {
  if (chunk.length === 0) return;
  if (to.destroyed) throw new Error('the other side is gone');
  if (to.write(chunk)) return;
  await new Promise<void>((resolve, reject) => {
    const onDrain = (): void => {
      to.off('close', onClose);
      resolve();
    };
    const onClose = (): void => {
      to.off('drain', onDrain);
      reject(new Error('the other side is gone'));
    };
    to.once('drain', onDrain);
    to.once('close', onClose);
  });
}

/** Resolves when the system has the bytes: only then do they arrive although the connection is closed after them. */
async function flush(to: Writable, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    to.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function flipped(chunk: Buffer, at: number): Buffer {
  const copy = Buffer.from(chunk);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
