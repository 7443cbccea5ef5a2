import type { PriceTable, RegionPrices, Tiers } from '../price-table.ts';

const TIB = 1024;

const storage = (first: number, second: number, third: number): Tiers => [{ upTo: 50 * TIB, usd: first }, { upTo: 500 * TIB, usd: second }, { usd: third }];
const egress = (first: number, second: number, third: number, fourth: number): Tiers => [
  { upTo: 100, usd: 0 },
  { upTo: 10 * TIB, usd: first },
  { upTo: 50 * TIB, usd: second },
  { upTo: 150 * TIB, usd: third },
  { usd: fourth },
];
const WEST = egress(0.09, 0.085, 0.07, 0.05);

const region = (stored: Tiers, writes: number, reads: number, out: Tiers = WEST): RegionPrices => ({ storage: stored, writes, reads, egress: out });

export const awsS3: PriceTable = {
  cloud: 'aws',
  store: 'Amazon S3 Standard',
  source: 'https://aws.amazon.com/s3/pricing/',
  entered: '2026-11-25',
  basis: 'first tiers as others read them from the price list in July 2026; further tiers and requests from memory',
  compared: {
    on: '2026-11-26',
    with: 'the first tier of storage, all regions, and the first of egress, six regions, with figures a public project read from the AWS Price List on 2026-07-01 and 2026-07-04; the further tiers of egress of ap-southeast-2 with a page of 2020; nothing for requests',
  },
  regions: {
    'us-east-1': region(storage(0.023, 0.022, 0.021), 0.005, 0.0004),
    'us-east-2': region(storage(0.023, 0.022, 0.021), 0.005, 0.0004),
    'us-west-1': region(storage(0.026, 0.025, 0.024), 0.0055, 0.00044),
    'us-west-2': region(storage(0.023, 0.022, 0.021), 0.005, 0.0004),
    'ca-central-1': region(storage(0.025, 0.024, 0.023), 0.0055, 0.00044),
    'eu-central-1': region(storage(0.0245, 0.0235, 0.0225), 0.0054, 0.00043),
    'eu-west-1': region(storage(0.023, 0.022, 0.021), 0.005, 0.0004),
    'eu-west-2': region(storage(0.024, 0.023, 0.022), 0.0053, 0.00042),
    'eu-west-3': region(storage(0.024, 0.023, 0.022), 0.0053, 0.00042),
    'eu-north-1': region(storage(0.023, 0.022, 0.021), 0.005, 0.0004),
    'ap-southeast-1': region(storage(0.025, 0.024, 0.023), 0.005, 0.0004, egress(0.12, 0.085, 0.082, 0.08)),
    'ap-southeast-2': region(storage(0.025, 0.024, 0.023), 0.0055, 0.00044, egress(0.114, 0.098, 0.094, 0.092)),
    'ap-northeast-1': region(storage(0.025, 0.024, 0.023), 0.0047, 0.00037, egress(0.114, 0.089, 0.086, 0.084)),
  },
};
