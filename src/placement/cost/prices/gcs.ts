import type { PriceTable, RegionPrices } from '../price-table.ts';

const TIB = 1024;

/** To most of the world over the premium network; to China and Australia it is dearer. */
const region = (usd: number): RegionPrices => ({
  storage: [{ usd }],
  writes: 0.005,
  reads: 0.0004,
  egress: [{ upTo: TIB, usd: 0.12 }, { upTo: 10 * TIB, usd: 0.11 }, { usd: 0.08 }],
});

export const gcs: PriceTable = {
  cloud: 'gcp',
  store: 'Google Cloud Storage Standard',
  source: 'https://cloud.google.com/storage/pricing',
  entered: '2026-11-25',
  basis: 'storage and requests from copies of the price page of unknown age; further tiers of egress from memory',
  compared: {
    on: '2026-11-26',
    with: 'storage in the Americas and of europe-central2, -north1, -west1, -west2 and -west3 with copies of the price page of 2022 and about 2025; us-central1 with the page as a public project read it on 2026-09-20; requests and the first tier of egress with Google’s page of examples',
  },
  regions: {
    'us-central1': region(0.02),
    'us-east1': region(0.02),
    'us-east4': region(0.023),
    'us-east5': region(0.02),
    'us-west1': region(0.02),
    'us-west2': region(0.023),
    'us-south1': region(0.02),
    'northamerica-northeast1': region(0.023),
    'europe-central2': region(0.023),
    'europe-north1': region(0.02),
    'europe-west1': region(0.02),
    'europe-west2': region(0.023),
    'europe-west3': region(0.023),
    'europe-west4': { ...region(0.02), unconfirmed: true },
    'asia-southeast1': { ...region(0.02), unconfirmed: true },
    'asia-northeast1': { ...region(0.023), unconfirmed: true },
  },
};
