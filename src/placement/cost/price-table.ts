/** A price that falls with the amount: each tier up to its end, the last one without. Amounts in GiB, prices in USD per GiB. */
export type Tiers = readonly { readonly upTo?: number; readonly usd: number }[];

/** What a store costs in one region. */
export interface RegionPrices {
  /** For a GiB and month, by what is stored at the same time. */
  readonly storage: Tiers;
  /** For 1,000 requests that write or list. */
  readonly writes: number;
  /** For 1,000 requests that read. */
  readonly reads: number;
  /** For a GiB to the internet, by what goes there in a month. */
  readonly egress: Tiers;
  /** Nothing was found to compare the storage price with. */
  readonly unconfirmed?: true;
}

/** List prices of one store, in USD, without taxes, discounts and reservations. */
export interface PriceTable {
  /** The cloud as failure domains name it. */
  readonly cloud: string;
  /** What is priced, with its class. */
  readonly store: string;
  /** The public page that says what holds. */
  readonly source: string;
  /** When the figures were entered: ISO date. */
  readonly entered: string;
  /** What they were entered from. */
  readonly basis: string;
  /** What was compared since, with what, and when: ISO date. None of it is the live page. */
  readonly compared: { readonly on: string; readonly with: string };
  readonly regions: Readonly<Record<string, RegionPrices>>;
}

const GIB = 2 ** 30;

/** What this many bytes cost. */
export function tieredUsd(bytes: number, tiers: Tiers): number {
  const amount = bytes / GIB;
  let from = 0;
  let usd = 0;
  for (const tier of tiers) {
    const to = Math.min(amount, tier.upTo ?? Number.POSITIVE_INFINITY);
    if (to > from) usd += (to - from) * tier.usd;
    from = Math.max(from, to);
  }
  return usd;
}
