import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Config } from '../../src/config/load.ts';
import { parseDuration } from '../../src/core/duration.ts';
import type { VaultConfig } from '../../src/vault/config.ts';
import type { AwsSettings } from './settings.ts';
import type { Secrets } from './secrets.ts';

/** A value of CloudFormation. */
export type CfnValue = string | Readonly<Record<string, unknown>>;

/** A statement of a policy of IAM. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly CfnValue[];
  readonly Condition?: unknown;
}

const DAY = 86_400_000;
const REGION_ACCOUNT = '${AWS::Region}:${AWS::AccountId}';

const sub = (text: string): CfnValue => ({ 'Fn::Sub': text });

export function functionArn(name: string): CfnValue {
  return sub(`arn:\${AWS::Partition}:lambda:${REGION_ACCOUNT}:function:${name}`);
}

/** Writes the log of the function, and no other. */
export function writeLog(name: string): Statement {
  const log = sub(`arn:\${AWS::Partition}:logs:${REGION_ACCOUNT}:log-group:/aws/lambda/${name}:*`);
  return allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log]);
}

/** Reads these secrets. */
export function readSecrets(secrets: Secrets, { secretKeys }: Pick<AwsSettings, 'secretKeys'>): readonly Statement[] {
  const arns = [...new Set(Object.values(secrets))].toSorted();
  const ofManager = arns.filter((arn) => arn.includes(':secretsmanager:'));
  const parameters = arns.filter((arn) => arn.includes(':ssm:'));
  return [
    ...(ofManager.length > 0 ? [allow('ReadSecrets', ['secretsmanager:GetSecretValue'], ofManager)] : []),
    ...(parameters.length > 0 ? [allow('ReadParameters', ['ssm:GetParameter'], parameters)] : []),
    ...(arns.length > 0 && secretKeys.length > 0 ? [allow('OpenSecrets', ['kms:Decrypt'], secretKeys)] : []),
  ];
}

/** Has a network interface in the VPC. AWS knows no narrower resource for these. */
export function useNetwork({ vpc }: Pick<AwsSettings, 'vpc'>): readonly Statement[] {
  return vpc === undefined ? [] : [allow('UseNetwork', ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DeleteNetworkInterface'], ['*'])];
}

export function allow(sid: string, actions: readonly string[], resources: readonly CfnValue[]): Statement {
  return { Sid: sid, Effect: 'Allow', Action: actions, Resource: resources };
}

/** Opens key slots with the keys of KMS that lifeboat.yaml names. */
export function openSlots(config: Config): readonly Statement[] {
  const keys = [...(config.readKey?.kms ?? []), ...(config.maintainKey?.kms ?? [])].flatMap(({ key }) => (key.startsWith('aws-kms:arn:') ? [key.slice('aws-kms:'.length)] : []));
  return keys.length === 0 ? [] : [allow('OpenSlots', ['kms:Decrypt'], [...new Set(keys)].toSorted())];
}

const policySchema = z.object({
  Statement: z.array(
    z.object({
      Sid: z.string(),
      Effect: z.enum(['Allow', 'Deny']),
      Action: z.union([z.string(), z.array(z.string())]).transform((action) => (typeof action === 'string' ? [action] : action)),
      Resource: z.string(),
      Condition: z.unknown().optional(),
    }),
  ),
});

type S3Vault = Extract<VaultConfig, { type: 's3' }>;

/** The vaults that are reached with the role of the function: those in Amazon S3 without credentials of their own. */
export function vaultsOfRole(config: Config): readonly S3Vault[] {
  return [...config.vaults.values()].filter((vault): vault is S3Vault => vault.type === 's3' && vault.endpoint === undefined && vault.credentials === undefined);
}

/**
 * What whoever does the jobs may do, vault by vault: as the policies in infra/vaults say, for the roles whose keys lifeboat.yaml names. What
 * those policies refuse is refused here as well, but for deleting where the maintain role is among them.
 */
export async function useVaults(config: Config): Promise<readonly (readonly Statement[])[]> {
  const maintains = config.maintainKey !== undefined || config.maintenance !== undefined;
  const roles = [...(config.writeKey === undefined ? [] : ['writer']), ...(config.readKey === undefined ? [] : ['reader']), ...(maintains ? ['maintainer'] : [])];
  const policies = await Promise.all(roles.map((role) => policyOf(role)));
  return vaultsOfRole(config).map((vault) => {
    const days = vault.lock === true ? lockDays(config, vault.name) : 0;
    const statements = new Map<string, Statement>();
    for (const { Sid, Effect, Action, Resource, Condition } of policies.flatMap((policy) => policy.Statement)) {
      if (statements.has(Sid) || (Sid === 'NeverTakeAway' && maintains) || (/Lock/.test(Sid) && Effect === 'Allow' && days === 0)) continue;
      const path = vault.prefix === undefined ? '' : `${vault.prefix}/`;
      const resource = Resource.replace('arn:aws:', 'arn:${AWS::Partition}:').replace('BUCKET', vault.bucket).replace('PREFIX/', path);
      const condition: unknown = Condition === undefined ? undefined : JSON.parse(JSON.stringify(Condition).replace('DAYS', String(days)));
      statements.set(Sid, { Sid, Effect, Action, Resource: [sub(resource)], ...(condition !== undefined && { Condition: condition }) });
    }
    return [...statements.values()];
  });
}

/** What the API does in the vaults, vault by vault: it adds to the audit trail, reads that, and lists points. It reads no data. */
export function recordInVaults(config: Config): readonly (readonly Statement[])[] {
  if (config.server?.oidc === undefined) return [];
  return vaultsOfRole(config).map((vault) => {
    const bucket = `arn:\${AWS::Partition}:s3:::${vault.bucket}`;
    const at = (path: string): CfnValue => sub(`${bucket}/${vault.prefix === undefined ? '' : `${vault.prefix}/`}${path}`);
    return [
      allow('Record', ['s3:PutObject', ...(config.server?.audit.lock === undefined || vault.lock !== true ? [] : ['s3:PutObjectRetention'])], [at('audit/*')]),
      allow('ReadRecords', ['s3:GetObject', 's3:GetObjectVersion'], [at('audit/*'), at('points/*'), at('lifeboat.json')]),
      allow('List', ['s3:ListBucket', 's3:ListBucketVersions'], [sub(bucket)]),
    ];
  });
}

async function policyOf(role: string): Promise<z.output<typeof policySchema>> {
  return policySchema.parse(JSON.parse(await readFile(new URL(`../vaults/s3/${role}.json`, import.meta.url), 'utf8')));
}

/** The longest lock of the plans that use a vault, in days, and one more: clocks differ. 0 without any. */
function lockDays(config: Config, vault: string): number {
  const locks = [...config.plans.values()].filter((plan) => plan.vaults.includes(vault)).map((plan) => parseDuration(plan.lock ?? '0') ?? 0);
  const longest = Math.max(0, ...locks);
  return longest === 0 ? 0 : Math.ceil(longest / DAY) + 1;
}
