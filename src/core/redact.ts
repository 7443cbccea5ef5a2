const MARK = '[secret]';

/** Things that are secret wherever they come from: age identities, lifeboat's own keys, passwords in URLs. */
const ALWAYS = [
  /AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+/gi,
  /(?<=lifeboat-(?:write|read|maintain|audit)-key-\d+\.)[\w-]{16,}/g,
  /(?<=[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi,
];

/** Shorter ones would hide ordinary words, and no key is that short. */
const SHORTEST = 8;

/**
 * The last thing every output passes through. Secrets that were read during a run are told to it and are
 * replaced by `[secret]` wherever they would appear, also in messages of libraries.
 */
export class Redactor {
  readonly #known = new Set<string>();

  /** Never show this text, nor any line of it. */
  add(secret: string): void {
    for (const part of [secret, ...secret.split(/\r?\n/)]) {
      const trimmed = part.trim();
      if (trimmed.length >= SHORTEST && !trimmed.startsWith('#')) this.#known.add(trimmed);
    }
  }

  /** `text` with every known secret replaced. */
  redact(text: string): string {
    let safe = text;
    for (const secret of this.#known) {
      safe = safe.replaceAll(secret, MARK);
      // Inside JSON a secret with quotes or backslashes looks different.
      const escaped = JSON.stringify(secret).slice(1, -1);
      if (escaped !== secret) safe = safe.replaceAll(escaped, MARK);
    }
    for (const pattern of ALWAYS) safe = safe.replaceAll(pattern, MARK);
    return safe;
  }

  /** Whether a secret that was told is in the text: for what was put together of parts that were redacted one by one. */
  holds(text: string): boolean {
    for (const secret of this.#known) if (text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))) return true;
    return false;
  }
}
