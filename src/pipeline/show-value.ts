import { createHmac, randomBytes } from 'node:crypto';
import { canonicalJson } from '../adapt/canonical.ts';
import type { Difference } from '../adapt/difference.ts';
import type { JsonValue } from '../adapt/json.ts';
import { typeName } from '../site/types.ts';
import type { ResourceType } from '../site/types.ts';

/** A difference as reports show it: values as text. */
export interface ShownDifference {
  readonly path: string;
  /** The value on the first side; absent if there is none. */
  readonly a?: string;
  readonly b?: string;
}

/**
 * Digests of secret values are made with a key that this process forgets: they tell within one report whether two
 * values are the same, and nobody can test guesses against them.
 */
const REPORT_KEY = randomBytes(32);
const LONGEST_VALUE = 200;

/** Makes a difference fit for people: long values shortened, values of Secrets replaced by digests. */
export function showValue(difference: Difference, type: Pick<ResourceType, 'group' | 'resource'>): ShownDifference {
  const secret = typeName(type) === 'secrets' && isSecretPath(difference.path);
  const show = (value: JsonValue): string => (secret ? secretDigest(value) : shorten(canonicalJson(value)));
  return {
    path: difference.path,
    ...(difference.a === undefined ? {} : { a: show(difference.a) }),
    ...(difference.b === undefined ? {} : { b: show(difference.b) }),
  };
}

/** Labels, type and the like of a Secret may be seen; data may not, nor annotations, where kubectl keeps a copy of it. */
function isSecretPath(path: string): boolean {
  return !/^(?:metadata\.(?:labels|finalizers|name|namespace|ownerReferences)|type$|immutable$)/.test(path);
}

function secretDigest(value: JsonValue): string {
  return `secret, digest ${createHmac('sha256', REPORT_KEY).update(canonicalJson(value)).digest('hex').slice(0, 12)}`;
}

function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
