import { SPREAD } from '../core/failure-domain.ts';
import type { FailureDomain } from '../core/failure-domain.ts';

/** The cloud whose own store a kind of vault is, when no `endpoint` says that it is another's. */
const STORES: Readonly<Record<string, FailureDomain>> = {
  // Both keep every object in several zones of the region (S3 Standard, GCS regional and wider).
  s3: { cloud: 'aws', zone: SPREAD },
  gcs: { cloud: 'gcp', zone: SPREAD },
  // Azure keeps it in one zone or in several, as the storage account was made (LRS, ZRS).
  azure: { cloud: 'azure' },
};

/** Addresses of those stores, for vaults that name them as their endpoint. */
const ENDPOINTS: readonly (readonly [host: RegExp, type: string])[] = [
  [/\.amazonaws\.com$/, 's3'],
  [/(?:^|\.)storage\.googleapis\.com$/, 'gcs'],
  [/\.blob\.core\.windows\.net$/, 'azure'],
];

const KEY_SERVICES: Readonly<Record<string, string>> = { 'aws-kms': 'aws', 'gcp-kms': 'gcp', 'azure-key-vault': 'azure' };

/** What the settings of a vault say of where it stands, without its `domain`. */
export function domainOfStore(vault: { readonly type: string; readonly endpoint?: string | undefined; readonly region?: string | undefined }): FailureDomain {
  const host = vault.endpoint === undefined ? undefined : URL.parse(vault.endpoint)?.hostname;
  const store = vault.endpoint === undefined ? STORES[vault.type] : STORES[ENDPOINTS.find(([pattern]) => pattern.test(host ?? ''))?.[1] ?? ''];
  if (store === undefined) return {};
  return { ...store, ...(vault.region !== undefined && vault.region !== 'auto' && { region: vault.region }) };
}

/** What the kind of a key service says of where it stands: in its cloud, and in no single zone. Nothing for the other ways. */
export function domainOfKeyService(kind: string): FailureDomain {
  const cloud = KEY_SERVICES[kind];
  return cloud === undefined ? {} : { cloud, zone: SPREAD };
}

/**
 * What the name of a key in a key service says of where it stands, as it is written under `kms`: `aws-kms:arn:aws:kms:REGION:ACCOUNT:…`,
 * `gcp-kms:projects/PROJECT/locations/REGION/…`. A multi-Region key of AWS is in several regions if it was replicated, which its name
 * does not tell.
 */
export function domainOfKmsKey(key: string): FailureDomain {
  const kind = key.slice(0, key.indexOf(':'));
  const [, awsRegion, awsAccount] = /^aws-kms:arn:[^:]+:kms:([^:]+):(\d+):/.exec(key) ?? [];
  const [, project, location] = /^gcp-kms:projects\/([^/]+)\/locations\/([^/]+)\//.exec(key) ?? [];
  const account = awsAccount ?? project;
  // Google's locations without a dash are multi-regions: `global`, `europe`, `us`.
  const region = location !== undefined && !location.includes('-') ? SPREAD : (awsRegion ?? location);
  return { ...domainOfKeyService(kind), ...(account !== undefined && { account }), ...(region !== undefined && { region }) };
}
