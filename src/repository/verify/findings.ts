import type { ErrorCode } from '../../core/error-codes.ts';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Finding } from '../api.ts';

/** What was found so far: one entry for each object of a vault. */
export class Findings {
  readonly #byObject = new Map<string, Finding>();

  /** Adds a finding; a second one about the same object adds its points to the first. */
  add(finding: Finding): void {
    const name = `${finding.vault}\n${finding.object}`;
    const known = this.#byObject.get(name);
    const points = [...new Set([...(known?.points ?? []), ...finding.points])].sort();
    // That something lies over an object is said only when nothing is wrong with the object itself.
    const worse = known === undefined || (known.kind === 'shadowed' && finding.kind !== 'shadowed') ? finding : known;
    this.#byObject.set(name, { ...worse, points });
  }

  has(vault: string, object: string): boolean {
    return this.#byObject.has(`${vault}\n${object}`);
  }

  /** Takes back those about objects of a vault that this is so of; gives the objects. */
  takeBack(vault: string, which: (finding: Finding) => boolean): Set<string> {
    const taken = new Set<string>();
    for (const [name, finding] of this.#byObject) {
      if (finding.vault !== vault || !which(finding)) continue;
      this.#byObject.delete(name);
      taken.add(finding.object);
    }
    return taken;
  }

  /** All findings, those that touch points first, then by vault and object. */
  all(): Finding[] {
    const key = (finding: Finding): string => `${finding.points.length > 0 ? 0 : 1} ${finding.vault} ${finding.object}`;
    return [...this.#byObject.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

const KINDS: Partial<Record<ErrorCode, Finding['kind']>> = {
  LB_VAULT_OBJECT_MISSING: 'missing',
  LB_VAULT_GARBLED: 'damaged',
  LB_REPO_DAMAGED: 'damaged',
  LB_REPO_FORGED: 'forged',
  LB_KEY_WRONG: 'forged',
};

/** The finding that an error stands for. */
export function findingOf(error: unknown, vault: string, object: string, points: readonly string[] = []): Finding {
  const kind = (isLifeboatError(error) ? KINDS[error.code] : undefined) ?? 'unreadable';
  return { vault, object, kind, message: messageOf(error), points };
}
