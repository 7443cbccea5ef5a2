import { z } from 'zod';

/** Levels of failure, smallest first. A promise to outlive one covers those before it as well. */
export const LEVELS = ['zone', 'region', 'account', 'cloud'] as const;
export type Level = (typeof LEVELS)[number];

/** What `zone` or `region` says of something that is spread over several of them: losing one does not take it. */
export const SPREAD = 'multi';

const text = (description: string): z.ZodString => z.string().min(1, 'must not be empty').describe(description);
const alone = (description: string): z.ZodString =>
  text(description).refine((value) => value !== SPREAD, { error: `\`${SPREAD}\` is for \`region\` and \`zone\`; this is one name` });

/** A failure domain as lifeboat.yaml writes it. What is left out is unknown, and unknown is never taken to be safe. */
export const failureDomainSchema = z
  .strictObject({
    cloud: alone('Who runs it: `aws`, `gcp`, `azure`, or any name for another provider or your own data centres.').optional(),
    account: alone('The account, project or subscription that it is paid from.').optional(),
    region: text(`The region, as the cloud calls it; \`${SPREAD}\` for what is kept in several.`).optional(),
    zone: text(`The zone within the region; \`${SPREAD}\` for what is kept in several. On AWS use the zone’s id (\`use1-az1\`): names differ between accounts.`).optional(),
  })
  .describe('Where it stands: the failure domains that could take it along. What is left out counts as lost with any.');

/** `{cloud, account, region, zone}`; two things share a domain if they share the value of a level. */
export type FailureDomain = Readonly<z.output<typeof failureDomainSchema>>;

/** Other names of the clouds, so that two spellings do not count as two clouds. */
const ALIASES: Readonly<Record<string, string>> = {
  amazon: 'aws',
  'amazon web services': 'aws',
  google: 'gcp',
  gcloud: 'gcp',
  'google cloud': 'gcp',
  'google cloud platform': 'gcp',
  microsoft: 'azure',
  'microsoft azure': 'azure',
};

/** A cloud under the name that it is compared by: case and common other names make no difference. */
export function cloudName(cloud: string): string {
  const plain = cloud.trim().toLowerCase();
  return ALIASES[plain.replaceAll(/[-_\s]+/g, ' ')] ?? plain;
}

/** The domain with every value as it is compared: in lower case, clouds by one name. */
export function comparable(domain: FailureDomain): FailureDomain {
  const lower = (value: string): string => value.trim().toLowerCase();
  return {
    ...(domain.cloud !== undefined && { cloud: cloudName(domain.cloud) }),
    ...(domain.account !== undefined && { account: lower(domain.account) }),
    ...(domain.region !== undefined && { region: lower(domain.region) }),
    ...(domain.zone !== undefined && { zone: lower(domain.zone) }),
  };
}
