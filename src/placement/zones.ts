import { SPREAD } from '../core/failure-domain.ts';
import type { FailureDomain } from '../core/failure-domain.ts';

/** A zone of AWS by its id, the same in every account: `euc1-az1`, of a Local Zone `usw2-lax1-az1`. */
const AWS_ID = /^[a-z]{2,6}\d-(?:[a-z]+\d-)?az\d+$/;
/** A zone of Azure by its physical name, the same in every subscription: `westeurope-az1`. */
const AZURE_ID = /^[a-z]+\d*-az\d+$/;

/**
 * The zone of a known cloud as it is compared, of which there may be several spellings. Undefined for what cannot be a zone of the region: that would count as
 * one more zone. Other clouds, and regions that are not given, have zones of any name.
 */
export function knownZone({ cloud, region, zone }: FailureDomain): string | undefined {
  if (zone === undefined || region === undefined || zone === SPREAD || region === SPREAD) return zone;
  const rest = zone.startsWith(region) ? zone.slice(region.length) : zone;
  if (cloud === 'aws') return AWS_ID.test(zone) ? zone : named(/^(?:-[a-z]+-\d)?[a-z]$/.test(rest), `${region}${rest}`);
  if (cloud === 'gcp') return named(/^-?[a-z]$/.test(rest), `${region}-${rest.slice(-1)}`);
  if (cloud === 'azure') return AZURE_ID.test(zone) ? zone : named(/^-?\d$/.test(rest), `${region}-${rest.slice(-1)}`);
  return zone;
}

function named(can: boolean, zone: string): string | undefined {
  return can ? zone : undefined;
}

/** Whether the zone is called by a name that AWS or Azure give to another zone in another account. */
function isAccountsOwn({ cloud, region, zone }: FailureDomain): boolean {
  if (zone === undefined || zone === SPREAD || region === undefined) return false;
  return (cloud === 'aws' && !AWS_ID.test(zone)) || (cloud === 'azure' && !AZURE_ID.test(zone));
}

/**
 * Says of a domain whether its zone cannot be told from those of the others in the region: it is called by a name of its account, and others are
 * called by their ids, or by names of other accounts. The zones may be one. An account that is not given may be any.
 */
export function ambiguousZones(all: readonly FailureDomain[]): (domain: FailureDomain) => boolean {
  const zoned = all.filter(({ zone }) => zone !== undefined && zone !== SPREAD);
  return (domain) => {
    if (!isAccountsOwn(domain)) return false;
    const near = zoned.filter(({ cloud, region }) => cloud === domain.cloud && region === domain.region);
    const accounts = new Set(near.map(({ account }, index) => account ?? index));
    return accounts.size > 1 || !near.every(isAccountsOwn);
  };
}
