/** Tells a server the last of what is said in quick succession, one call at a time. */
export class Telling<T> {
  readonly #tell: (value: T) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #next: { readonly value: T } | undefined;
  #busy: Promise<void> | undefined;

  constructor(tell: (value: T) => Promise<void>, onError: (error: unknown) => void) {
    this.#tell = tell;
    this.#onError = onError;
  }

  say(value: T): void {
    this.#next = { value };
    this.#busy ??= this.#go();
  }

  /** Waits until the last is told. Never rejects. */
  async end(): Promise<void> {
    await this.#busy;
  }

  async #go(): Promise<void> {
    while (this.#next !== undefined) {
      const { value } = this.#next;
      this.#next = undefined;
      await this.#tell(value).catch(this.#onError);
    }
    this.#busy = undefined;
  }
}
