import type { BodyReader } from './streams.ts';

const MIB = 1024 * 1024;

/** How a body is sent in parts. */
export interface PartsPlan {
  /** Bytes of each part but the last. */
  readonly size: number;
  /** Parts under way at once; each is held in memory. */
  readonly atOnce: number;
  readonly signal: AbortSignal | undefined;
}

/** Sends one part; parts are numbered from 1. Its signal also fires when another part has failed for good. */
export type SendPart = (number: number, part: Uint8Array, signal: AbortSignal) => Promise<void>;

/** Parts of the usual size, unless the object would need more of them than the store allows. */
export function partSize(size: number, usual: number, most: number): number {
  return Math.max(usual, Math.ceil(size / most / MIB) * MIB);
}

/**
 * Reads a body part by part and sends a few parts at a time. Resolves when all are sent; rejects with the first error, of the
 * body or of a part, when none is under way any more.
 */
export async function inParts(reader: BodyReader, plan: PartsPlan, send: SendPart): Promise<void> {
  const stop = new AbortController();
  const signal = plan.signal === undefined ? stop.signal : AbortSignal.any([plan.signal, stop.signal]);
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const begin = (part: Uint8Array, number: number): void => {
    const sending = send(number, part, signal)
      .catch((error: unknown) => {
        failure ??= { error };
        stop.abort(error);
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  };
  try {
    let number = 0;
    for await (const part of partsOf(plan.size, reader)) {
      begin(part, (number += 1));
      if (underWay.size >= plan.atOnce) await Promise.race(underWay);
      if (failure !== undefined) break;
    }
    await Promise.all(underWay);
  } catch (error) {
    failure ??= { error };
  }
  if (failure === undefined) return;
  stop.abort(failure.error);
  await Promise.all(underWay);
  throw failure.error;
}

/** The body cut into buffers of `size` bytes (the last one may be smaller). */
export async function* partsOf(size: number, reader: BodyReader): AsyncGenerator<Uint8Array, void, undefined> {
  let left = reader.size;
  let buffer = Buffer.allocUnsafeSlow(Math.min(size, left));
  let filled = 0;
  for await (const bytes of reader.parts()) {
    let at = 0;
    while (at < bytes.byteLength) {
      const taken = bytes.subarray(at, at + buffer.length - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      at += taken.byteLength;
      if (filled < buffer.length) continue;
      yield buffer;
      left -= filled;
      buffer = Buffer.allocUnsafeSlow(Math.min(size, left));
      filled = 0;
    }
  }
}
