import { madeUp } from './scene.ts';

/** What the child backs up: each generation changes a tenth of the objects. */
export function generationRecords(generation: number, part: number): Buffer[] {
  return Array.from({ length: 300 }, (_, i) => {
    const number = part * 300 + i;
    return madeUp(number, 2000, number % 10 === generation % 10 ? generation : 0);
  });
}
