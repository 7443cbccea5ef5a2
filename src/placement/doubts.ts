import { nearest } from '../core/suggest.ts';
import type { FailureDomain, Level } from '../core/failure-domain.ts';
import { SPREAD } from '../core/failure-domain.ts';
import type { PlacedPlan } from './from-config.ts';
import { TELLING } from './loss.ts';
import type { Standing } from './topology.ts';

/** How the regions of a cloud look. A zone or a misspelling in their place would count as a region of its own. */
const REGIONS: Readonly<Record<string, RegExp>> = {
  aws: /^[a-z]{2,4}(?:-[a-z]+)+-\d$/,
  gcp: /^[a-z]+-[a-z]+\d+$/,
  azure: /^[a-z]+\d?$/,
};
const CLOUDS = Object.keys(REGIONS);

/**
 * What is not known of a plan and was therefore taken to be bad, what was taken for granted, and what looks mistyped. Each is
 * one line for people.
 */
export function doubtsOf({ topology, inferred, openersAssumed }: PlacedPlan): readonly string[] {
  const { site, control, vaults, openers, outlives } = topology;
  const things = [
    ...vaults.map((vault) => ({ title: `vault ${vault.name}`, thing: vault })),
    ...openers.map((opener) => ({ title: `key ${opener.name}`, thing: opener })),
    { title: `site ${site.name}`, thing: site },
    ...(control === undefined ? [] : [{ title: 'the control side', thing: control }]),
  ];
  return [
    ...things.flatMap(({ title, thing }) => unknownText(title, thing, outlives)),
    ...things.flatMap(({ title, thing }) => oddText(title, thing)),
    ...inferred.map(({ name, fields }) => `${fields.toReversed().join(', ')} of ${name} ${fields.length === 1 ? 'is' : 'are'} taken from its settings`),
    ...(openersAssumed ? ['nothing is said of what opens the repository: a passphrase or identity is taken for granted that no loss takes along (`keys.openers`)'] : []),
    ...(control === undefined ? ['where restores are run is not given (`control.domain`): somebody must be able to run one from elsewhere, with a vault’s address and a key'] : []),
  ];
}

function unknownText(title: string, { place }: Standing, outlives: Level | undefined): readonly string[] {
  if (place === 'outside') return [];
  const missing = TELLING[outlives ?? 'account'].filter((field) => place[field] === undefined && !(field === 'zone' && place.region === SPREAD));
  if (missing.length === 0) return [];
  const fields = missing.length === 1 ? missing.join('') : `${missing.slice(0, -1).join(', ')} and ${missing.at(-1)}`;
  return [`${title}: ${fields} not given; it counts as lost with any`];
}

function oddText(title: string, { place }: Standing): readonly string[] {
  if (place === 'outside') return [];
  const { cloud, region }: FailureDomain = place;
  if (cloud === undefined) return [];
  const pattern = REGIONS[cloud];
  if (pattern === undefined) {
    const meant = nearest(cloud, CLOUDS);
    return meant === undefined ? [] : [`${title}: cloud \`${cloud}\` counts as another cloud than \`${meant}\`: is it mistyped?`];
  }
  if (region === undefined || region === SPREAD || pattern.test(region)) return [];
  return [`${title}: \`${region}\` does not look like a region of ${cloud}, and counts as one of its own: is it mistyped?`];
}
