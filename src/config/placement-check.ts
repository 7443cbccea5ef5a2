import { cloudName, SPREAD } from '../core/failure-domain.ts';
import { problem } from './explain.ts';
import { domainOfKeyService, domainOfStore } from './inferred-domain.ts';
import { child } from './json-schema.ts';
import type { Locator, Path } from './locate.ts';
import type { ConfigProblem } from './problem.ts';

/**
 * What contradicts itself in what lifeboat.yaml says of failure domains and copies. Whether a plan keeps its promise is
 * not asked here: a restore must work from a file whose plan does not. `absolute` makes a path of the file a whole one.
 */
export function checkPlacement(document: unknown, locator: Locator, absolute: (path: string) => string): ConfigProblem[] {
  return [
    ...entriesOf(document, 'sites').flatMap(({ value, path }) => checkDomain(value, path, locator)),
    ...entriesOf(document, 'vaults').flatMap(({ value, path }) => [...checkDomain(value, path, locator), ...checkStore(value, path, locator)]),
    ...checkDomain(child(document, 'control'), ['control'], locator),
    ...checkOpeners(document, locator),
    ...entriesOf(document, 'plans').flatMap(({ value, path }) => [...checkCopies(value, path, locator), ...checkPlaces(document, value, { path, locator, absolute })]),
  ];
}

function checkDomain(owner: unknown, path: Path, locator: Locator): ConfigProblem[] {
  const zone = textAt(owner, 'domain', 'zone');
  if (zone === undefined || zone === SPREAD || textAt(owner, 'domain', 'region') !== SPREAD) return [];
  const at = [...path, 'domain', 'zone'];
  return [problem(at, locator.value(at), 'is one zone, and `region` says that it is kept in several regions', `leave one of the two out, or write \`zone: ${SPREAD}\``)];
}

/** A bucket of a cloud’s own store is in that cloud, and in the region it is in. */
function checkStore(vault: unknown, path: Path, locator: Locator): ConfigProblem[] {
  const type = textAt(vault, 'type');
  if (type === undefined) return [];
  const { cloud, region } = domainOfStore({ type, endpoint: textAt(vault, 'endpoint'), region: textAt(vault, 'region') });
  const found: ConfigProblem[] = [];
  const said = textAt(vault, 'domain', 'cloud');
  if (cloud !== undefined && said !== undefined && cloudName(said) !== cloud) {
    const at = [...path, 'domain', 'cloud'];
    found.push(problem(at, locator.value(at), `\`type: ${type}\` without \`endpoint\` is in ${cloud}`, 'correct it, or give the `endpoint` of the store that is meant'));
  }
  const saidRegion = textAt(vault, 'domain', 'region');
  if (region !== undefined && saidRegion !== undefined && saidRegion.toLowerCase() !== region.toLowerCase()) {
    const at = [...path, 'domain', 'region'];
    found.push(problem(at, locator.value(at), `the bucket is in ${region}`, 'leave it out: it is taken from `region` of the vault'));
  }
  return found;
}

function checkOpeners(document: unknown, locator: Locator): ConfigProblem[] {
  const openers = child(child(document, 'keys'), 'openers');
  if (!Array.isArray(openers)) return [];
  return openers.flatMap((opener: unknown, index) => {
    const path = ['keys', 'openers', index];
    const kind = textAt(opener, 'kind');
    const { cloud } = domainOfKeyService(kind ?? '');
    const said = textAt(opener, 'domain', 'cloud');
    const found = checkDomain(opener, path, locator);
    if (cloud !== undefined && said !== undefined && cloudName(said) !== cloud) {
      const at = [...path, 'domain', 'cloud'];
      found.push(problem(at, locator.value(at), `\`kind: ${kind}\` is in ${cloud}`, 'correct one of the two, or leave the cloud out'));
    }
    return found;
  });
}

function checkCopies(plan: unknown, path: Path, locator: Locator): ConfigProblem[] {
  const copies = child(plan, 'copies');
  const vaults = child(plan, 'vaults');
  if (typeof copies !== 'number' || !Array.isArray(vaults) || vaults.length === 0 || copies <= vaults.length) return [];
  const at = [...path, 'copies'];
  return [problem(at, locator.value(at), `the plan has ${vaults.length === 1 ? 'one vault' : `${vaults.length} vaults`}: no point could ever be safe`, `write ${vaults.length === 1 ? '1' : `${vaults.length} or less`}, or name more vaults`)];
}

/** Two names for one place are one copy, however safe they look. */
function checkPlaces(
  document: unknown,
  plan: unknown,
  { path, locator, absolute }: { readonly path: Path; readonly locator: Locator; readonly absolute: (path: string) => string },
): ConfigProblem[] {
  const vaults: unknown = child(plan, 'vaults');
  if (!Array.isArray(vaults)) return [];
  const seen = new Map<string, string>();
  return vaults.flatMap((name: unknown, index) => {
    if (typeof name !== 'string') return [];
    const place = placeKey(child(child(document, 'vaults'), name), absolute);
    const first = place === undefined ? undefined : seen.get(place);
    if (place !== undefined && first === undefined) seen.set(place, name);
    if (first === undefined || first === name) return [];
    const at = [...path, 'vaults', index];
    return [problem(at, locator.value(at), `is the same place as \`${first}\`: together they are one copy`, 'use one of the two')];
  });
}

/** Where a vault is, as a text that two vaults in one place share. Undefined while that is not said. */
export function placeKey(vault: unknown, absolute: (path: string) => string): string | undefined {
  const type = textAt(vault, 'type');
  const folder = textAt(vault, 'path');
  const [bucket, container, ...others] = ['bucket', 'container', 'account', 'prefix', 'endpoint'].map((field) => textAt(vault, field));
  if (type === undefined || (folder ?? bucket ?? container) === undefined) return undefined;
  const slashless = (text: string | undefined): string => (text ?? '').replace(/(?<=.)\/+$/, '');
  return JSON.stringify([type, folder === undefined ? '' : absolute(folder), ...[bucket, container, ...others].map(slashless)]);
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce(child, value);
  return typeof found === 'string' ? found : undefined;
}

function entriesOf(document: unknown, section: string): readonly { readonly value: unknown; readonly path: Path }[] {
  const group = child(document, section);
  if (typeof group !== 'object' || group === null || Array.isArray(group)) return [];
  return Object.entries(group).map(([name, value]: [string, unknown]) => ({ value, path: [section, name] }));
}
