import { randomInt } from 'node:crypto';
import { onTestFailed } from 'vitest';

/** Random numbers that can be had again with the same seed. */
export interface Random {
  readonly seed: number;
  /** From 0 (included) to 1 (not). */
  next(): number;
  /** One of them. */
  pick<T>(choices: readonly T[]): T;
}

/** Call within a test: when it fails, the seed is shown. The environment variable SEED asks for a certain one. */
export function randomOfTest(): Random {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
  onTestFailed(() => console.error(`The moments were chosen with the seed ${seed}: SEED=${seed} chooses them again.`));
  return randomFrom(seed);
}

/** The numbers of one seed: mulberry32 by Tommy Ettinger: public domain, and good enough to choose moments. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(choices: readonly T[]): T => {
    const choice = choices[Math.floor(next() * choices.length)];
    if (choice === undefined) throw new RangeError('there is nothing to choose from');
    return choice;
  };
  return { seed, next, pick };
}
