import { Process } from './machine/machine.ts';

/** What is to become of a program at one of its calls. */
export interface Fate {
  readonly at: number;
  /** `killed before`: the call may be made still, or not. `killed after`: it was made, and nobody heard. A number: it is halted for so long, ms. */
  readonly what: 'killed before' | 'killed after' | number;
}

/** A lifeboat that runs, and may be killed or halted at one of its calls. */
export class Program extends Process {
  readonly #fate: Fate | undefined;
  #calls = 0;
  #died: () => void = () => {};
  /** Resolves when it is killed. */
  readonly death: Promise<void>;

  /** `skew`: what its clock is ahead, ms. */
  constructor(name: string, skew: number, fate?: Fate) {
    super(name, skew);
    this.#fate = fate;
    this.death = new Promise((resolve) => (this.#died = resolve));
  }

  /** What becomes of it at its next call. */
  nextCall(): Fate['what'] | undefined {
    this.#calls++;
    return this.#calls === this.#fate?.at ? this.#fate.what : undefined;
  }

  override kill(): void {
    super.kill();
    this.#died();
  }
}
