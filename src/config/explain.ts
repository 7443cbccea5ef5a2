import type { z } from 'zod';
import { nearest } from '../core/suggest.ts';
import { child, configJsonSchema, schemasAt } from './json-schema.ts';
import type { Locator, Path, Span } from './locate.ts';
import type { ConfigProblem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** `missing`: the field that is not there, when that is the mistake. */
type Explained = ConfigProblem & { readonly missing?: string };

/** Turns what zod found into mistakes a person can put right: where, what, and what to write instead. */
export function explainIssues(issues: readonly Issue[], document: unknown, locator: Locator): ConfigProblem[] {
  const schema = configJsonSchema();
  const explain = (issue: Issue): Explained[] => {
    const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
    const value = path.reduce(child, document);
    const at = schemasAt(schema, path, document);

    if (issue.code === 'unrecognized_keys') {
      const known = [...new Set(at.flatMap((one) => Object.keys(one.properties ?? {})))];
      return issue.keys.map((key) =>
        problem([...path, key], locator.key([...path, key]), 'there is no such field', suggestion(key, known, value)),
      );
    }
    if (issue.code === 'invalid_union') {
      if (issue.discriminator !== undefined) {
        const choices = schemasAt(schema, path.slice(0, -1), {}).flatMap((one) => {
          const constant = one.properties?.[String(path.at(-1))]?.const;
          return typeof constant === 'string' ? [constant] : [];
        });
        return [choiceProblem(path, value, choices, locator)];
      }
      const closest = issue.errors.toSorted((a, b) => foreignness(a) - foreignness(b))[0] ?? [];
      return closest.flatMap((one) => explain({ ...one, path: [...issue.path, ...one.path] }));
    }
    if (issue.code === 'invalid_value') return [choiceProblem(path, value, issue.values.map(String), locator)];
    if (value === undefined && issue.code !== 'custom') return [missingProblem(path, at[0]?.description, locator)];
    if (issue.code === 'invalid_type') {
      const expected = `must be ${article(issue.expected)}`;
      const fraction = issue.expected === 'int' && typeof value === 'number';
      const message = value === null ? `is empty; it ${expected}` : fraction ? expected : `${expected}, not ${article(kindOf(value))}`;
      const fields = path.length === 0 ? [] : [...new Set(at.flatMap((one) => Object.keys(one.properties ?? {})))];
      const hint = typeHint(issue.expected, value, locator.source(path), fields) ?? (path.length > 0 ? at[0]?.description : undefined);
      return [problem(path, locator.value(path), message, hint)];
    }
    return [problem(path, locator.value(path), lengthMessage(issue) ?? issue.message, hintOf(issue))];
  };
  const misspelt = issues.filter((issue) => issue.code === 'unrecognized_keys').map((issue) => issue.path.join('.'));
  const problems = issues
    // A group with a misspelt field has that mistake; that it then also lacks the field says nothing new.
    .filter((issue) => issue.code !== 'custom' || !misspelt.includes(issue.path.join('.')))
    .flatMap(explain);
  const meant = new Set(problems.map((one) => one.hint?.startsWith('did you mean') === true && `${parentOf(one.path)} ${one.hint}`));
  return problems.filter((one) => one.missing === undefined || !meant.has(`${one.path} did you mean \`${one.missing}\`?`));
}

function parentOf(path: string): string {
  return path.split('.').slice(0, -1).join('.');
}

/** How far a value is from one variant of a choice: its foreign fields weigh more than what it lacks. */
function foreignness(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 100 * issue.keys.length : 1), 0);
}

/** A mistake at `path`, which stands at `span`. */
export function problem(path: Path, span: Span, message: string, hint?: string): ConfigProblem {
  return { ...span, path: path.join('.'), message, hint };
}

/** `did you mean …?`, or else what there is. */
export function suggestion(given: string, known: readonly string[], sibling?: unknown): string | undefined {
  // A field that is written already is not what the unknown one was meant to be.
  const free = known.filter((name) => child(sibling, name) === undefined);
  const best = nearest(given, free);
  if (best !== undefined) return `did you mean \`${best}\`?`;
  return known.length === 0 ? undefined : `possible here: ${known.map((name) => `\`${name}\``).join(', ')}`;
}

function choiceProblem(path: Path, value: unknown, choices: readonly string[], locator: Locator): ConfigProblem {
  const name = String(path.at(-1));
  if (name === 'version' && typeof value === 'number' && value > 1) {
    return problem(path, locator.value(path), `version ${value} is newer than this lifeboat reads`, 'upgrade lifeboat');
  }
  const list = choices.map((choice) => `\`${choice}\``).join(' or ');
  if (value === undefined || value === null) {
    return problem(path.slice(0, -1), locator.key(path.slice(0, -1)), `\`${name}\` is missing`, `add \`${name}:\` with ${list}`);
  }
  const best = typeof value === 'string' ? nearest(value, choices) : undefined;
  return problem(
    path,
    locator.value(path),
    `must be ${list}`,
    best === undefined ? undefined : `did you mean \`${best}\`?`,
  );
}

function missingProblem(path: Path, description: string | undefined, locator: Locator): Explained {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1);
  const hint = description === undefined ? `add \`${name}:\`` : `add \`${name}:\` (${firstSentence(description)})`;
  return { ...problem(parent, locator.key(parent), `\`${name}\` is missing`, hint), missing: name };
}

function firstSentence(text: string): string {
  return text.replace(/\.(?:\s.*)?$/s, '');
}

function hintOf(issue: Issue): string | undefined {
  if (issue.code !== 'custom') return undefined;
  const hint: unknown = issue.params?.['hint'];
  return typeof hint === 'string' ? hint : undefined;
}

/** What zod says of texts that are too short or too long, in words; what the schema says itself is left as it is. */
function lengthMessage(issue: Issue): string | undefined {
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.message.startsWith('Too small')) return `must have at least ${issue.minimum} characters`;
  if (issue.code === 'too_big' && issue.origin === 'string' && issue.message.startsWith('Too big')) return `must have at most ${issue.maximum} characters`;
  return undefined;
}

/** `source`: the value as it is written, because a number may have lost its leading zeros. */
function typeHint(expected: string, value: unknown, source: string | undefined, fields: readonly string[]): string | undefined {
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `put it in quotes: "${source ?? String(value)}"`;
  }
  if ((expected === 'number' || expected === 'int') && typeof value === 'string' && /^\d+$/.test(value)) return `write it without quotes: ${value}`;
  if (expected === 'object' && (typeof value === 'string' || Array.isArray(value)) && fields.length > 0) return `write a group: {${fields[0]}: …}; possible in it: ${fields.map((name) => `\`${name}\``).join(', ')}`;
  if (expected === 'array' && typeof value === 'string') return `write a list: [${value}]`;
  return undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'object' : typeof value;
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a group of fields',
  record: 'a group of names',
  undefined: 'left out',
};

function article(kind: string): string {
  return NOUNS[kind] ?? kind;
}
