/** What is wrong and was told, so that it is told once, and again only after it was well. */
export interface Told {
  /** It is so now. True for whoever is to tell it: nobody has since it began. */
  begins(condition: string): Promise<boolean> | boolean;
  /** It is well. */
  ends(condition: string): Promise<void> | void;
}

/** Remembered by this process alone. */
export class ToldHere implements Told {
  readonly #on = new Set<string>();

  begins(condition: string): boolean {
    if (this.#on.has(condition)) return false;
    this.#on.add(condition);
    return true;
  }

  ends(condition: string): void {
    this.#on.delete(condition);
  }
}
