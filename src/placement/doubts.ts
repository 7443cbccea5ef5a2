import type { Level } from '../core/failure-domain.ts';
import { SPREAD } from '../core/failure-domain.ts';
import type { PlacedPlan } from './from-config.ts';
import { TELLING } from './loss.ts';
import { nearlySame } from './mistyped.ts';
import { listed } from './reasons.ts';
import type { Standing } from './topology.ts';

/** Zones of AWS by the names that mean other zones in other accounts. */
const ZONE_NAME = /^[a-z]{2,4}(?:-[a-z]+)+-\d[a-z]$/;

/**
 * What is not known of a plan and was therefore taken to be bad, what was taken for granted, and what may be mistyped. Each is
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
    ...unknownTexts(things, outlives),
    ...alike(things),
    ...things.flatMap(({ title, thing: { place } }) => {
      if (place === 'outside' || place.cloud !== 'aws' || place.zone === undefined || !ZONE_NAME.test(place.zone)) return [];
      return [`${title}: \`${place.zone}\` means another zone in another account; the zone’s id (such as \`euc1-az1\`) does not`];
    }),
    ...inferredTexts(inferred),
    ...(openersAssumed ? ['nothing is said of what opens the repository: a passphrase or identity is taken for granted that no loss takes along (`keys.openers`)'] : []),
    ...(control === undefined ? ['where restores are run is not given (`control.domain`): somebody must be able to run one from elsewhere, with a vault’s address and a key'] : []),
  ];
}

/** One line for all things of which the same is not given. */
function unknownTexts(things: readonly { readonly title: string; readonly thing: Standing }[], outlives: Level | undefined): readonly string[] {
  const missing = ({ place }: Standing): readonly string[] =>
    place === 'outside' ? [] : TELLING[outlives ?? 'account'].filter((field) => place[field] === undefined && !(field === 'zone' && place.region === SPREAD));
  const groups = Map.groupBy(things, ({ thing }) => listed(missing(thing)));
  groups.delete('');
  return [...groups].map(([fields, same]) => `${listed(same.map(({ title }) => title))}: ${fields} not given (\`domain\`); ${same.length === 1 ? 'it counts' : 'they count'} as lost with any`);
}

/** Regions of one cloud whose names differ by a letter. */
function alike(things: readonly { readonly title: string; readonly thing: Standing }[]): readonly string[] {
  const named = things.flatMap(({ title, thing: { place } }) => (place === 'outside' || place.cloud === undefined || place.region === undefined ? [] : [{ title, cloud: place.cloud, region: place.region }]));
  const once = named.filter((one, index) => named.findIndex((two) => two.cloud === one.cloud && two.region === one.region) === index);
  return once.flatMap((one, index) => {
    const other = once.find((two, at) => at < index && two.cloud === one.cloud && nearlySame(one.region, two.region));
    return other === undefined ? [] : [`${one.title}: \`${one.region}\` differs by a letter from \`${other.region}\` of ${other.title}, and counts as another region: is one of them mistyped?`];
  });
}

/** One line for all vaults of which the same was taken from the settings. */
function inferredTexts(inferred: PlacedPlan['inferred']): readonly string[] {
  const groups = Map.groupBy(inferred, ({ fields }) => listed(fields.toReversed()));
  return [...groups].map(([fields, vaults]) => {
    const several = vaults.length > 1;
    return `${fields} of ${several ? 'vaults' : 'vault'} ${listed(vaults.map(({ name }) => name))} ${fields.includes(' and ') ? 'are' : 'is'} taken from ${several ? 'their' : 'its'} settings`;
  });
}
