import type { PriceTable, RegionPrices } from '../price-table.ts';

const TIB = 1024;

/** Europe and North America, by the routing that Azure uses unless told otherwise. */
const region = (first: number, second: number, third: number): RegionPrices => ({
  storage: [{ upTo: 50 * TIB, usd: first }, { upTo: 500 * TIB, usd: second }, { usd: third }],
  writes: 0.005,
  reads: 0.0004,
  egress: [
    { upTo: 100, usd: 0 },
    { upTo: 10 * TIB, usd: 0.087 },
    { upTo: 50 * TIB, usd: 0.083 },
    { upTo: 150 * TIB, usd: 0.07 },
    { usd: 0.05 },
  ],
});

export const azureBlob: PriceTable = {
  cloud: 'azure',
  store: 'Azure Blob Storage hot, LRS',
  source: 'https://azure.microsoft.com/pricing/details/storage/blobs/',
  entered: '2026-11-25',
  basis: 'first tiers and requests as others read them from the price list in 2026; further tiers from memory; zone-redundant accounts (ZRS) cost about a quarter more',
  compared: {
    on: '2026-11-26',
    with: 'the first tier of storage (0.0184) and the requests with figures public projects read from the Azure Retail Prices API, region not said; the first tier of egress with pages of 2026; nothing for westeurope',
  },
  regions: {
    eastus: region(0.0208, 0.02, 0.0191),
    eastus2: region(0.0184, 0.0177, 0.0169),
    westus2: region(0.0184, 0.0177, 0.0169),
    westeurope: { ...region(0.0196, 0.0188, 0.018), unconfirmed: true },
  },
};
