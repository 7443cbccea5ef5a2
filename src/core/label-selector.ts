import { LifeboatError } from './errors.ts';

/** A label selector that was understood. */
export interface LabelSelector {
  /** As it goes into a `labelSelector` query parameter. */
  readonly text: string;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

// Source: Kubernetes docs, "Labels and Selectors": an optional DNS prefix of up to 253, a name of up to 63 characters.
const KEY = String.raw`(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?`;
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const EQUALS = new RegExp(`^(${KEY})\\s*(=|==|!=)\\s*(${VALUE})$`);
const IN_SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(\\s*(${VALUE}(?:\\s*,\\s*${VALUE})*)\\s*\\)$`);

/**
 * Reads a label selector in the notation of kubectl: `app=shop,tier!=cache,env in (a, b),!legacy`.
 * Throws `LB_USAGE` naming the part that is wrong.
 */
export function parseLabelSelector(text: string): LabelSelector {
  // Commas between parentheses separate values, all others requirements.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const requirements = parts.map((part) => requirement(part) ?? notASelector(text, part));
  return { text: parts.join(','), matches: (labels) => requirements.every((holds) => holds(labels)) };
}

function requirement(part: string): Requirement | undefined {
  const exists = EXISTS.exec(part);
  if (exists) {
    const [, not, key = ''] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === '');
  }
  const equals = EQUALS.exec(part);
  if (equals) {
    const [, key = '', operator, value = ''] = equals;
    // As Kubernetes: an object without the label satisfies `!=`.
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const inSet = IN_SET.exec(part);
  if (!inSet) return undefined;
  const [, key = '', operator, list = ''] = inSet;
  const values = new Set(list.split(',').map((value) => value.trim()));
  return (labels) => {
    const value = labels[key];
    return operator === 'in' ? value !== undefined && values.has(value) : value === undefined || !values.has(value);
  };
}

function notASelector(text: string, part: string): never {
  throw new LifeboatError('LB_USAGE', `"${text}" is not a label selector: "${part}" is not understood`, {
    hint: 'Write it as for kubectl: app=shop,tier!=cache,env in (test,prod),!legacy',
  });
}
