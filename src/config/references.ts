import { LifeboatError } from '../core/errors.ts';
import { parseLabelSelector } from '../core/label-selector.ts';
import { problem, suggestion } from './explain.ts';
import { child } from './json-schema.ts';
import type { Locator, Path } from './locate.ts';
import type { ConfigProblem } from './problem.ts';
import { NAME_PATTERN } from './schema.ts';

/**
 * What the schema cannot say: names that may be used, plans that name sites and vaults that exist, label selectors,
 * `${…}` that nobody would fill in. Works on the document as written, so that these show even when the schema found something.
 */
export function checkReferences(document: unknown, locator: Locator): ConfigProblem[] {
  return [...checkNames(document, locator), ...checkPlans(document, locator), ...checkPlaceholders(document, [], locator)];
}

function checkNames(document: unknown, locator: Locator): ConfigProblem[] {
  return ['sites', 'vaults', 'plans'].flatMap((section) =>
    namesOf(child(document, section))
      .filter((name) => !NAME_PATTERN.test(name))
      .map((name) =>
        problem(
          [section, name],
          locator.key([section, name]),
          'is not a usable name',
          'use 1 to 63 of a to z, 0 to 9 and `-`, not beginning or ending with `-`',
        ),
      ),
  );
}

function checkPlans(document: unknown, locator: Locator): ConfigProblem[] {
  const sites = namesOf(child(document, 'sites'));
  const vaults = namesOf(child(document, 'vaults'));
  const plans = child(document, 'plans');
  return namesOf(plans).flatMap((name) => {
    const plan = child(plans, name);
    const found: ConfigProblem[] = [];
    const check = (value: unknown, path: Path, what: string, known: readonly string[]): void => {
      if (typeof value !== 'string' || value === '' || known.includes(value)) return;
      const hint = suggestion(value, known) ?? `add it under \`${what}s:\``;
      found.push(problem(path, locator.value(path), `there is no ${what} \`${value}\``, hint));
    };
    check(child(plan, 'site'), ['plans', name, 'site'], 'site', sites);
    check(child(child(plan, 'drill'), 'into'), ['plans', name, 'drill', 'into'], 'site', sites);
    const listed = child(plan, 'vaults');
    if (Array.isArray(listed)) {
      const seen = new Set<unknown>();
      listed.forEach((vault: unknown, index) => {
        const path = ['plans', name, 'vaults', index];
        check(vault, path, 'vault', vaults);
        if (seen.has(vault)) found.push(problem(path, locator.value(path), 'is named twice', 'name each vault once'));
        seen.add(vault);
      });
    }
    return [...found, ...checkLabels(child(child(plan, 'select'), 'labels'), ['plans', name, 'select', 'labels'], locator)];
  });
}

function checkLabels(selector: unknown, path: Path, locator: Locator): ConfigProblem[] {
  if (typeof selector !== 'string' || selector === '') return [];
  try {
    parseLabelSelector(selector);
    return [];
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    return [problem(path, locator.value(path), error.message, error.hint)];
  }
}

const PLACEHOLDER = /\$\{\w+\}|\$\(\w+\)/;

/** A `${HOME}` taken literally would make a folder of that name: better to say that nothing fills it in. */
function checkPlaceholders(value: unknown, path: Path, locator: Locator): ConfigProblem[] {
  if (typeof value === 'string') {
    const placeholder = PLACEHOLDER.exec(value)?.[0];
    if (placeholder === undefined) return [];
    return [
      problem(
        path,
        locator.value(path),
        `\`${placeholder}\` would be taken literally: environment variables are not filled in`,
        'write the value itself; secrets have fields that name a file or a variable',
      ),
    ];
  }
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => checkPlaceholders(item, [...path, index], locator));
  return namesOf(value).flatMap((name) => checkPlaceholders(child(value, name), [...path, name], locator));
}

function namesOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
