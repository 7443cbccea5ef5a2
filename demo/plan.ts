/** The lifeboat.yaml of the demo: a site in one of three clouds, a vault in each, and a promise. */
import { stringify } from 'yaml';
import { parseConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/load.ts';
import type { PlanConfig } from '../src/config/schema.ts';

/** The name of site and plan. */
export const SITE = 'harbour';
/** Where the site stands. Whatever is in this cloud is lost with it. */
export const LOST_CLOUD = 'aws';
/** Where it is brought back. */
export const NEW_CLOUD = 'azure';
export const REGION = 'eu-central-1';

/** Variables that hold the vaults' credentials. */
export const ENVIRONMENT = { accessKeyId: 'DEMO_ACCESS_KEY_ID', secretAccessKey: 'DEMO_SECRET_ACCESS_KEY', accountKey: 'DEMO_ACCOUNT_KEY' } as const;

/** Where the buckets and the key are. */
export interface DemoPlaces {
  readonly s3: { readonly endpoint: string; readonly bucket: string };
  readonly gcs: { readonly endpoint: string; readonly bucket: string };
  readonly azure: { readonly endpoint: string; readonly account: string; readonly container: string };
  /** `key` as lifeboat.yaml writes it. */
  readonly kms: { readonly endpoint: string; readonly key: string };
}

export type OpenerKind = 'aws-kms' | 'age';

const AWS = { cloud: 'aws', account: '111122223333', region: REGION, zone: 'multi' };
const GCP = { cloud: 'gcp', account: 'harbour-backup', region: 'europe-west3', zone: 'multi' };
const AZURE = { cloud: 'azure', account: 'harbour-backup', region: 'westeurope', zone: 'multi' };

/** The demo's lifeboat.yaml. `openers`: what opens the repository. */
export function demoConfig({ s3, gcs, azure }: DemoPlaces, openers: readonly OpenerKind[]): { readonly text: string; readonly config: Config; readonly plan: PlanConfig } {
  const text = stringify({
    version: 1,
    sites: { [SITE]: { domain: { ...AWS } } },
    vaults: {
      s3: { type: 's3', ...s3, credentials: { accessKeyIdEnv: ENVIRONMENT.accessKeyId, secretAccessKeyEnv: ENVIRONMENT.secretAccessKey }, domain: { ...AWS } },
      gcs: { type: 'gcs', ...gcs, domain: { ...GCP } },
      azure: { type: 'azure', ...azure, credentials: { accountKeyEnv: ENVIRONMENT.accountKey }, domain: { ...AZURE } },
    },
    // An age identity is kept by people, here as in a safe: in no cloud.
    keys: { openers: openers.map((kind) => (kind === 'age' ? { kind } : { kind, domain: { ...AWS } })) },
    // Restores are run from the machine in front of you.
    control: { domain: { cloud: 'own', account: 'own', region: 'desk', zone: 'desk' } },
    plans: { [SITE]: { site: SITE, vaults: ['s3', 'gcs', 'azure'], outlives: 'cloud' } },
  });
  const config = parseConfig(text, 'lifeboat.yaml');
  const plan = config.plans.get(SITE);
  if (plan === undefined) throw new Error('the demo has no plan');
  return { text, config, plan };
}
