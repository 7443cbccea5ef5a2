import { LifeboatError } from '../../core/errors.ts';
import type { BytesRef } from '../api.ts';
import { ByteReader } from '../bytes.ts';
import { DIRECT, isHole, MAX_RUN_BYTES, NESTED, RunDecoder } from './byte-map.ts';
import type { Run } from './byte-map.ts';

/** Maps are nested no deeper than any real stream needs. */
const MAX_NESTING = 4;
const WHAT = 'The byte map';

/** Gives the bytes of a stream whose runs are known. */
export type ReadRuns = (runs: AsyncIterable<Run>) => AsyncIterable<Uint8Array>;

/** The runs of a stream, in order, however deeply its map was stored. Throws `LB_REPO_DAMAGED` unless they make up `bytes`. */
export async function* runsOf(ref: BytesRef, read: ReadRuns): AsyncGenerator<Run> {
  let bytes = 0;
  for await (const run of decodeRuns(once(Buffer.from(ref.map, 'base64')), read, 0)) {
    bytes += bytesOf(run);
    if (bytes > ref.bytes) break;
    yield run;
  }
  if (bytes !== ref.bytes) throw damaged('has another length than was written');
}

/** Bytes of the stream that a run stands for. */
export function bytesOf(run: Run): number {
  return isHole(run) ? run.hole : run.lengths.reduce((sum, length) => sum + length, 0);
}

async function* decodeRuns(parts: AsyncIterable<Uint8Array>, read: ReadRuns, depth: number): AsyncGenerator<Run> {
  const source = parts[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  let ended = false;
  const fill = async (wanted: number): Promise<void> => {
    while (!ended && rest.length < wanted) {
      const step = await source.next();
      if (step.done === true) ended = true;
      else rest = rest.length === 0 ? step.value : Buffer.concat([rest, step.value]);
    }
  };
  const runs = async function* (): AsyncGenerator<Run> {
    const decoder = new RunDecoder();
    for (;;) {
      // No run is cut off when this much is there.
      await fill(MAX_RUN_BYTES);
      if (rest.length === 0) return;
      const reader = new ByteReader(rest, WHAT);
      while (reader.left >= (ended ? 1 : MAX_RUN_BYTES)) yield decoder.decode(reader);
      rest = rest.subarray(rest.length - reader.left);
    }
  };
  try {
    await fill(1);
    const kind = new ByteReader(rest, WHAT).byte();
    rest = rest.subarray(1);
    if (kind === DIRECT) yield* runs();
    else if (kind !== NESTED) throw damaged(`is of the unknown kind ${kind}`);
    else if (depth === MAX_NESTING) throw damaged('is nested too deeply');
    else yield* decodeRuns(read(runs()), read, depth + 1);
  } finally {
    await source.return?.();
  }
}

function damaged(how: string): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', `${WHAT} ${how}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
