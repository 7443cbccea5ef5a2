import { SPREAD } from '../core/failure-domain.ts';
import type { FailureDomain } from '../core/failure-domain.ts';
import { nearest } from '../core/suggest.ts';
import { knownZone } from './zones.ts';

/** How the regions of a cloud look. A zone or a misspelling in their place would count as a region of its own. */
const REGIONS: Readonly<Record<string, RegExp>> = {
  aws: /^[a-z]{2,4}(?:-[a-z]+)+-\d$/,
  gcp: /^[a-z]+-[a-z]+\d+$/,
  azure: /^[a-z]+\d?$/,
};
const CLOUDS = Object.keys(REGIONS);

/** A domain as it counts, and what of it looks mistyped: the rest of a sentence about what stands there. */
export interface Counted {
  readonly domain: FailureDomain;
  readonly odd: readonly string[];
}

/**
 * The domain without what cannot be meant: a misspelt cloud would be one more cloud that cannot be lost with the first, and a
 * misspelt region one more region. So a name that is nearly that of a known cloud counts as that cloud, and a region or zone that the
 * cloud cannot have as not given.
 */
export function withoutMistypes(domain: FailureDomain): Counted {
  const odd: string[] = [];
  let { cloud, region } = domain;
  const meant = cloud === undefined || CLOUDS.includes(cloud) ? undefined : nearest(cloud, CLOUDS);
  if (meant !== undefined) {
    odd.push(`cloud \`${cloud}\` looks like \`${meant}\` mistyped, and counts as it; if it is another provider, give it a name less like it`);
    cloud = meant;
  }
  const pattern = cloud === undefined ? undefined : REGIONS[cloud];
  if (pattern !== undefined && region !== undefined && region !== SPREAD && !pattern.test(region)) {
    odd.push(`\`${region}\` is no region of ${cloud}, and counts as not given${regionHint(cloud, region)}`);
    region = undefined;
  }
  const { cloud: _cloud, region: _region, zone: written, ...rest } = domain;
  const known = { ...(cloud !== undefined && { cloud }), ...(region !== undefined && { region }) };
  const zone = knownZone({ ...known, ...(written !== undefined && { zone: written }) });
  if (written !== zone && zone === undefined) odd.push(`\`${written}\` is no zone of ${cloud} ${region}, and counts as not given`);
  return { domain: { ...known, ...rest, ...(zone !== undefined && { zone }) }, odd };
}

function regionHint(cloud: string | undefined, region: string): string {
  if (cloud === 'aws' && /-\d[a-z]$/.test(region)) return `: is it a zone? The region is \`${region.slice(0, -1)}\``;
  if (cloud === 'gcp' && /-[a-z]$/.test(region)) return `: is it a zone? The region is \`${region.slice(0, -2)}\``;
  if (cloud === 'gcp' && /^[a-z]+\d*$/.test(region)) return `: for a bucket in several regions write \`${SPREAD}\``;
  return '';
}

/** Two regions of a cloud whose names differ by a letter: one of them may be mistyped. Digits tell true regions apart. */
export function nearlySame(one: string, other: string): boolean {
  const digits = (name: string): string => name.replaceAll(/\D/g, '');
  const letters = (name: string): string => name.replaceAll(/\d/g, '');
  if (one === other || digits(one) !== digits(other) || Math.abs(one.length - other.length) > 1) return false;
  return differByOne(letters(one), letters(other));
}

/** One letter more, less, another, or two neighbours swapped. */
function differByOne(one: string, other: string): boolean {
  let start = 0;
  while (start < Math.min(one.length, other.length) && one[start] === other[start]) start += 1;
  const [a, b] = [one.slice(start), other.slice(start)];
  const swapped = a.length === b.length && a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
  return swapped || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
}
