// What a `WorkerThread` runs: answers each call in turn.
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../core/errors.ts';
import { answerTo, END } from './thread.ts';
import type { Answer, Call, Request, ResultOf } from './thread.ts';
import { ThreadWork } from './thread-work.ts';
import type { ThreadSetup } from './thread-work.ts';

const work = new ThreadWork(workerData as ThreadSetup);

parentPort?.on('message', (request: Request | typeof END) => {
  if (request === END) {
    parentPort?.close();
    return;
  }
  let answer: Answer;
  try {
    answer = { result: answerTo(work, request) };
  } catch (error) {
    answer = { problem: messageOf(error) };
  }
  parentPort?.postMessage(answer, 'result' in answer ? handedOver(answer.result) : []);
});


/** The memory that goes to whoever called, rather than being copied. */
function handedOver(result: ResultOf<Call>): ArrayBuffer[] {
  if (result === null || typeof result === 'number' || result instanceof Uint32Array || 'zero' in result) return [];
  if ('commitment' in result) return [result.bytes.buffer];
  return result
    .map((opened) => ('chunk' in opened ? opened.chunk.buffer : undefined))
    .filter((buffer) => buffer instanceof ArrayBuffer)
    // Memory of Node's pool, which the thread goes on using, is copied.
    .filter((buffer) => buffer.byteLength > Buffer.poolSize);
}
