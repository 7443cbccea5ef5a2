import { Process } from './machine/machine.ts';

/** A lifeboat that runs, and may be killed at one of its calls. */
export class Program extends Process {
  readonly #killAt: number | undefined;
  readonly #before: boolean;
  #calls = 0;
  #died: () => void = () => {};
  /** Resolves when it is killed. */
  readonly death: Promise<void>;

  /** `kill`: at which call, and whether before it or when it is done. */
  constructor(name: string, kill?: { readonly at: number; readonly before: boolean }) {
    super(name);
    this.#killAt = kill?.at;
    this.#before = kill?.before ?? true;
    this.death = new Promise((resolve) => (this.#died = resolve));
  }

  /** What becomes of it at its next call. */
  callFate(): 'lives' | 'killed before' | 'killed after' {
    this.#calls++;
    if (this.#calls !== this.#killAt) return 'lives';
    return this.#before ? 'killed before' : 'killed after';
  }

  override kill(): void {
    super.kill();
    this.#died();
  }
}
