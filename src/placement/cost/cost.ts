import type { FailureDomain } from '../../core/failure-domain.ts';
import type { PriceTable, RegionPrices } from './price-table.ts';
import { tieredUsd } from './price-table.ts';
import { awsS3 } from './prices/aws-s3.ts';
import { azureBlob } from './prices/azure-blob.ts';
import { gcs } from './prices/gcs.ts';

/** Every store whose prices are known. */
export const PRICE_TABLES: readonly PriceTable[] = [awsS3, gcs, azureBlob];

/** What a plan stores and moves. */
export interface Usage {
  /** Bytes in each vault now. */
  readonly stored: number;
  /** Bytes that each vault gets in a day. */
  readonly addedPerDay: number;
  readonly backupsPerDay: number;
  /** Recovery points that are there already: every backup looks at those before it. */
  readonly points: number;
}

/** A vault as costs see it. */
export interface PricedVault {
  readonly name: string;
  /** `type` in lifeboat.yaml. */
  readonly type: string;
  readonly domain: FailureDomain;
}

/** What one vault costs. Amounts in USD. */
export type VaultCost =
  | {
      readonly name: string;
      readonly store: string;
      readonly region: string;
      readonly unconfirmed: boolean;
      /** A month: what is stored on average, and the requests of its backups. */
      readonly storage: number;
      readonly requests: number;
      /** Reading everything once, to somewhere outside the cloud. */
      readonly restore: number;
    }
  | { readonly name: string; readonly unknown: string };

/** What leaves the cloud of the machine that makes the backups in a month, in USD. */
export type SendingCost = { readonly from: string; readonly bytes: number; readonly usd: number } | { readonly unknown: string };

export interface MonthlyCost {
  readonly vaults: readonly VaultCost[];
  readonly sending: SendingCost;
  /** The price tables that were used. */
  readonly tables: readonly PriceTable[];
}

export const DAYS_OF_A_MONTH = 30;
/** Bytes of most objects in a vault (the repository's packs). */
export const OBJECT_BYTES = 16 * 2 ** 20;
/**
 * What a backup asks of a vault beside writing packs, as counted on small ones: a point and an index written; listings, a
 * few more than of a folder because buckets are listed page by page; a header, some indexes and every point read.
 */
const BACKUP_WRITES = 2;
const BACKUP_LISTINGS = 6;
const BACKUP_READS = 10;

/**
 * What a month of a plan costs: for each vault what its price table says, `unknown` where there is none, never nothing.
 * `sender` is where the machine that makes the backups stands.
 */
export function monthlyCost(usage: Usage, vaults: readonly PricedVault[], sender: FailureDomain): MonthlyCost {
  const priced = vaults.map((vault) => ({ vault, prices: pricesOf(vault) }));
  return {
    vaults: priced.map(({ vault, prices }) => vaultCost(usage, vault, prices)),
    sending: sendingCost(usage, vaults, sender),
    tables: PRICE_TABLES.filter((table) => priced.some(({ prices }) => typeof prices !== 'string' && prices.table === table)),
  };
}

interface Prices {
  readonly table: PriceTable;
  readonly region: string;
  readonly prices: RegionPrices;
}

/** The prices of a vault, or why there are none. */
function pricesOf({ type, domain }: PricedVault): Prices | string {
  if (type === 'directory') return 'what a folder costs only you know';
  if (domain.cloud === undefined) return 'its cloud is not given';
  // A bucket costs the same whichever protocol it is spoken to in.
  const table = PRICE_TABLES.find((one) => one.cloud === domain.cloud);
  if (table === undefined) return `no price table for ${domain.cloud}`;
  if (domain.region === undefined) return 'its region is not given';
  const prices = table.regions[domain.region];
  return prices === undefined ? `no prices for region ${domain.region} of ${table.cloud}` : { table, region: domain.region, prices };
}

function vaultCost(usage: Usage, { name }: PricedVault, found: Prices | string): VaultCost {
  if (typeof found === 'string') return { name, unknown: found };
  const { table, region, prices } = found;
  const average = usage.stored + (usage.addedPerDay * DAYS_OF_A_MONTH) / 2;
  const backups = usage.backupsPerDay * DAYS_OF_A_MONTH;
  const packs = Math.max(backups, Math.ceil((usage.addedPerDay * DAYS_OF_A_MONTH) / OBJECT_BYTES));
  const writes = packs + backups * (BACKUP_WRITES + BACKUP_LISTINGS);
  const reads = backups * (BACKUP_READS + usage.points + backups / 2);
  return {
    name,
    store: table.store,
    region,
    unconfirmed: prices.unconfirmed === true,
    storage: tieredUsd(average, prices.storage),
    requests: (writes * prices.writes + reads * prices.reads) / 1000,
    restore: tieredUsd(usage.stored, prices.egress) + (Math.ceil(usage.stored / OBJECT_BYTES) * prices.reads) / 1000,
  };
}

/** What goes to a vault in the sender’s own region costs nothing; all else is priced as if it went over the internet. */
function sendingCost(usage: Usage, vaults: readonly PricedVault[], { cloud, region }: FailureDomain): SendingCost {
  if (cloud === undefined) return { unknown: 'where backups are sent from is not given' };
  const table = PRICE_TABLES.find((one) => one.cloud === cloud);
  if (table === undefined) return { unknown: `no price table for ${cloud}` };
  if (region === undefined) return { unknown: 'the region that backups are sent from is not given' };
  const prices = table.regions[region];
  if (prices === undefined) return { unknown: `no prices for region ${region} of ${cloud}` };
  const away = vaults.filter(({ domain }) => domain.cloud !== cloud || domain.region !== region);
  const bytes = away.length * usage.addedPerDay * DAYS_OF_A_MONTH;
  return { from: `${cloud}/${region}`, bytes, usd: tieredUsd(bytes, prices.egress) };
}
