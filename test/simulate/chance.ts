import type { Random } from '../survival/random.ts';

/** Whether something happens that is so likely. */
export function happens(random: Random, chance: number): boolean {
  return random.next() < chance;
}

/** A whole number from `least` to `most`. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random.next() * (most - least + 1));
}

/** Some of them, in any order. */
export function some<T>(random: Random, all: readonly T[], count: number): T[] {
  const left = [...all];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) chosen.push(...left.splice(Math.floor(random.next() * left.length), 1));
  return chosen;
}

/** One of them, the more likely the heavier. */
export function weighed<T>(random: Random, choices: readonly (readonly [number, T])[]): T {
  let at = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, choice] of choices) if ((at -= weight) < 0) return choice;
  throw new RangeError('there is nothing to choose from');
}
