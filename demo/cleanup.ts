/** What is released at the end, in reverse order, whatever happened. */
export class Cleanup {
  readonly #tasks: (() => Promise<unknown>)[] = [];

  add(task: () => Promise<unknown>): void {
    this.#tasks.push(task);
  }

  /** Has something that is starting stopped at the end, also when the story ends before it has started. */
  stopping<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    this.add(async () => (await starting.catch(() => undefined))?.stop());
    return starting;
  }

  async run(): Promise<void> {
    for (const task of this.#tasks.splice(0).toReversed()) await task();
  }
}
