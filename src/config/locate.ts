import { isAlias, isMap, isNode, isPair, isScalar, isSeq } from 'yaml';
import type { Document, LineCounter, Pair } from 'yaml';

/** A place in the text: 1-based line and column, and the characters it covers. */
export interface Span {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type Path = readonly (string | number)[];

/** Finds where the parts of a parsed document stand in its text. */
export class Locator {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** Where the value at `path` stands; the nearest thing above it that is in the text when it is not there itself. */
  value(path: Path): Span {
    for (let length = path.length; length > 0; length -= 1) {
      const found = this.#find(path.slice(0, length));
      if (found === undefined) continue;
      // What is missing below a collection is shown at the collection's name, not at its first field.
      const node = length === path.length && isScalar(found.value) && found.value.source !== '' ? found.value : found.at;
      return this.#span(node);
    }
    return this.#span(this.#document.contents);
  }

  /** The value at `path` as it is written, without quotes; undefined unless it is one that is there. */
  source(path: Path): string | undefined {
    const value = this.#find(path)?.value;
    return isScalar(value) && typeof value.source === 'string' ? value.source : undefined;
  }

  /** Where the field name at the end of `path` stands. */
  key(path: Path): Span {
    const found = this.#find(path);
    return found === undefined ? this.value(path) : this.#span(found.at);
  }

  /** The span that begins at this offset of the text. */
  offset(start: number, end = start + 1): Span {
    const { line, col } = this.#lines.linePos(start);
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, end - start) };
  }

  #find(path: Path): { readonly at: unknown; readonly value: unknown } | undefined {
    let at: unknown;
    let value: unknown = this.#document.contents;
    for (const step of path) {
      if (isAlias(value)) value = value.resolve(this.#document);
      if (isMap(value)) {
        const pair: Pair | undefined = value.items.find((item) => keyText(item) === String(step));
        if (pair === undefined) return undefined;
        at = pair.key;
        value = pair.value;
      } else if (isSeq(value)) {
        value = value.items[Number(step)];
        if (value === undefined) return undefined;
        at = value;
      } else return undefined;
    }
    return { at, value };
  }

  #span(node: unknown): Span {
    const range = isNode(node) ? node.range : undefined;
    if (range === undefined || range === null) return { line: 1, column: 1, length: 1 };
    return this.offset(range[0], range[1]);
  }
}

function keyText(pair: unknown): string | undefined {
  if (!isPair(pair)) return undefined;
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}
