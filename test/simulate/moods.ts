import type { FaultPlan } from '../support/faults.ts';
import type { Random } from '../survival/random.ts';

/** How a vault behaves for a while. */
export interface Mood {
  readonly name: string;
  /** Whether what it says or stores may be wrong. One that only fails does not lie. */
  readonly lies: boolean;
  /** Whether every call gets its answer in the end. */
  readonly answers: boolean;
  /** Whether it shows what it has, though it may have been given something else. */
  readonly admits: boolean;
  plan(random: Random): FaultPlan | undefined;
}

type Chances = FaultPlan['chances'];

const honest = (name: string, chances: Chances, rest: Partial<Mood> & { readonly slowMs?: number } = {}): Mood => ({
  name,
  lies: false,
  answers: rest.answers ?? false,
  admits: true,
  plan: (random) => ({ random, chances, slowMs: rest.slowMs ?? 0 }),
});

const lying = (name: string, chances: Chances, admits = false): Mood => ({ name, lies: true, answers: false, admits, plan: (random) => ({ random, chances }) });

export const WELL: Mood = { name: 'well', lies: false, answers: true, admits: true, plan: () => undefined };

/** Is well at first, and gone after some calls. */
const DYING: Mood = {
  name: 'dying',
  lies: false,
  answers: false,
  admits: true,
  plan(random) {
    let left = Math.floor(random.next() * random.next() * 60);
    return { random, chances: { unavailable: 1 }, only: () => left-- <= 0 };
  },
};

/** What any vault may be at any time. */
export const HONEST: readonly Mood[] = [
  honest('slow', { slow: 1 }, { answers: true, slowMs: 20_000 }),
  honest('flaky', { unavailable: 0.1, 'lost-answer': 0.1, slow: 0.1 }, { slowMs: 5_000 }),
  honest('losing answers', { 'lost-answer': 0.5 }),
  honest('away', { unavailable: 1 }),
  honest('silent', { hang: 1 }),
  honest('now and then silent', { hang: 0.05 }),
  honest('refusing', { refused: 1 }),
  honest('full', { full: 1 }, { answers: true }),
  honest('nearly full', { full: 0.3 }, { answers: true }),
  DYING,
];

/** What only a vault may be that counts among those in trouble. */
export const LYING: readonly Mood[] = [
  lying('cutting answers short', { truncated: 0.3 }),
  lying('corrupting answers', { corrupted: 0.3 }),
  lying('denying objects', { missing: 0.3 }),
  lying('showing yesterday', { stale: 1 }),
  lying('not listing everything', { unlisted: 1 }),
  lying('listing twice', { repeated: 1 }),
  lying('forgetting', { forgotten: 0.3 }, true),
  lying('storing halves', { halved: 0.3 }, true),
  lying('storing garbage', { garbled: 0.3 }, true),
  lying('mad', { truncated: 0.05, corrupted: 0.05, missing: 0.05, unlisted: 0.1, repeated: 0.1, forgotten: 0.05, halved: 0.05, garbled: 0.05, unavailable: 0.03, 'lost-answer': 0.03 }),
];
