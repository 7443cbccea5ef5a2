import { resolve } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { refuseEmbedded } from '../../src/functions/config.ts';
import { awsSchedule } from '../../src/functions/cron/aws.ts';
import { SCHEDULED_KINDS, schedulesOf } from '../../src/functions/handlers/scheduled.ts';
import type { ScheduledKind } from '../../src/functions/handlers/scheduled.ts';
import { LAMBDA_FUNCTIONS } from '../functions/bundle.ts';
import { alarms } from './alarms.ts';
import type { Resource, Resources } from './alarms.ts';
import { allow, functionArn, openSlots, readSecrets, recordInVaults, useNetwork, useVaults, vaultsOfRole, writeLog } from './policies.ts';
import type { CfnValue, Statement } from './policies.ts';
import { secretsByFunction } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { readSettings } from './settings.ts';

/** What serverless.yml says of itself. */
export interface Deployment {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
  /** The folder that relative paths start at. */
  readonly folder: string;
  readonly configFile: string;
  readonly settingsFile: string;
  /** Ms since 1970. */
  readonly now: number;
}

type LambdaFunction = (typeof LAMBDA_FUNCTIONS)[number];

/** Those that are called and forgotten: what they fail at goes into the dead-letter queue, and when they are done `work` is called. */
const ASYNCHRONOUS: readonly string[] = [...SCHEDULED_KINDS, 'replicate'];

/** The parts of serverless.yml that follow from lifeboat.yaml and lifeboat.aws.yaml. */
export interface Parts {
  readonly schedules: Readonly<Record<ScheduledKind, readonly unknown[]>>;
  readonly http: Readonly<Record<'restore' | 'status', readonly unknown[]>>;
  readonly objects: readonly unknown[];
  readonly authorizers: Readonly<Record<string, unknown>>;
  /** The references to the secrets: for those that hand over, for the API, and for `work`. */
  readonly secrets: { readonly queue: string; readonly api: string; readonly work: string };
  readonly vpc: unknown;
  readonly work: { readonly concurrency: number; readonly memory: number; readonly seconds: number; readonly storage: number };
  readonly logDays: number;
  readonly resources: { readonly Resources: Resources; readonly Outputs: Readonly<Record<string, unknown>> };
}

/** Works the parts out. Throws `LB_CONFIG_MISSING`, `LB_CONFIG_INVALID`, `LB_QUEUE_UNSUITABLE`. */
export async function parts(deployment: Deployment): Promise<Parts> {
  const { folder, configFile, settingsFile, service, stage, region, now } = deployment;
  const config = await loadConfig(resolve(folder, configFile));
  refuseEmbedded(config);
  const settings = await readSettings(resolve(folder, settingsFile));
  const secrets = secretsByFunction(config, settings, settingsFile);
  const nameOf = (name: string): string => `${service}-${stage}-${name}`;
  const common = (name: LambdaFunction, needed: Secrets): readonly Statement[] => [writeLog(nameOf(name)), ...readSecrets(needed, settings), ...useNetwork(settings)];
  const roles: Resources = {};
  // One policy for each vault: what a role may hold itself would not do for many.
  const ofTrail = recordInVaults(config).map((statements, index) => [`ApiVault${index + 1}`, managedPolicy(statements)] as const);
  const ofVaults = (await useVaults(config)).map((statements, index) => [`WorkVault${index + 1}`, managedPolicy(statements)] as const);
  for (const name of LAMBDA_FUNCTIONS) {
    const asynchronous = ASYNCHRONOUS.includes(name) ? afterwards(nameOf('work')) : [];
    const needed = rightsOf(name);
    const statements = [...common(name, secrets[needed]), ...asynchronous, ...(needed === 'work' ? openSlots(config) : [])];
    const policies = needed === 'work' ? ofVaults : needed === 'api' ? ofTrail : [];
    roles[roleId(name)] = role('lambda.amazonaws.com', statements, { policies: policies.map(([id]) => ({ Ref: id })) });
  }
  const rung = [...SCHEDULED_KINDS, 'work'].map((name) => functionArn(nameOf(name)));
  roles['SchedulerRole'] = role('scheduler.amazonaws.com', [allow('Ring', ['lambda:InvokeFunction'], rung)], {
    condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  });
  return {
    schedules: { backup: schedules(config, 'backup'), drill: schedules(config, 'drill'), verify: schedules(config, 'verify'), retain: schedules(config, 'retain') },
    http: httpEvents(config),
    objects: objectEvents(config, region),
    authorizers: authorizers(config),
    secrets: { queue: JSON.stringify(secrets.queue), api: JSON.stringify(secrets.api), work: JSON.stringify(secrets.work) },
    vpc: settings.vpc === undefined ? null : { subnetIds: settings.vpc.subnets, securityGroupIds: settings.vpc.securityGroups },
    work: settings.work,
    logDays: settings.logDays,
    resources: {
      Resources: { ...roles, ...Object.fromEntries([...ofVaults, ...ofTrail]), ...queueAndTopic(settings.alarms.email), ...alarms(config, LAMBDA_FUNCTIONS, nameOf, now) },
      Outputs: { DeadLettersUrl: { Value: { Ref: 'DeadLetters' } }, AlarmsTopic: { Value: { Ref: 'Alarms' } } },
    },
  };
}

/** Gives events up that fail again and again, and calls `work` when there is some. */
function afterwards(work: string): readonly Statement[] {
  const deadLetters = { 'Fn::GetAtt': ['DeadLetters', 'Arn'] };
  return [allow('GiveUp', ['sqs:SendMessage'], [deadLetters]), allow('CallWork', ['lambda:InvokeFunction'], [functionArn(work)])];
}

function rightsOf(name: LambdaFunction): 'queue' | 'api' | 'work' {
  return name === 'work' ? 'work' : name === 'restore' || name === 'status' ? 'api' : 'queue';
}

/** The logical id of the role of a function: `BackupRole`. */
export function roleId(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Role`;
}

interface MoreOfRole {
  /** When it may be taken on. */
  readonly condition?: unknown;
  /** Policies beside its own. */
  readonly policies?: readonly CfnValue[];
}

function role(service: string, statements: readonly Statement[], { condition, policies = [] }: MoreOfRole = {}): Resource {
  const trust = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole', ...(condition !== undefined && { Condition: condition }) };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      Policies: [{ PolicyName: 'lifeboat', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
      ...(policies.length > 0 && { ManagedPolicyArns: policies }),
    },
  };
}

function managedPolicy(statements: readonly Statement[]): Resource {
  return { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: { Version: '2012-10-17', Statement: statements } } };
}

function queueAndTopic(email: string | undefined): Resources {
  const fortnight = 14 * 24 * 3600;
  return {
    DeadLetters: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: fortnight, SqsManagedSseEnabled: true } },
    Alarms: { Type: 'AWS::SNS::Topic', Properties: { ...(email !== undefined && { Subscription: [{ Protocol: 'email', Endpoint: email }] }) } },
  };
}

/** What EventBridge Scheduler puts the time and an id in for. */
const INPUT = { lifeboat: 'schedule', scheduledTime: '<aws.scheduler.scheduled-time>', id: '<aws.scheduler.execution-id>' };

function schedules(config: Config, kind: ScheduledKind): readonly unknown[] {
  return [...schedulesOf(config, kind)].map(([plan, schedule]) => {
    const where = config.lineOf(plan === undefined ? ['maintenance', 'schedule'] : ['plans', plan, ...(kind === 'backup' ? [] : [kind]), 'schedule']);
    const { expressions, timezone } = awsSchedule(schedule, where);
    const input = { ...INPUT, ...(plan !== undefined && { plan }) };
    return { schedule: { method: 'scheduler', rate: expressions, timezone, roleArn: { 'Fn::GetAtt': ['SchedulerRole', 'Arn'] }, input } };
  });
}

const AUTHORIZER = 'oidc';

function authorizers(config: Config): Readonly<Record<string, unknown>> {
  const oidc = config.server?.oidc;
  if (oidc === undefined) return {};
  return { [AUTHORIZER]: { type: 'jwt', identitySource: '$request.header.Authorization', issuerUrl: oidc.issuer, audience: [oidc.audience] } };
}

/** Without anybody who gives tokens there is no API: nobody could be told from anybody else. */
function httpEvents(config: Config): Parts['http'] {
  if (config.server?.oidc === undefined) return { restore: [], status: [] };
  const route = (method: string, path: string): unknown => ({ httpApi: { method, path, authorizer: { name: AUTHORIZER } } });
  return {
    restore: [route('POST', '/v1/restores'), route('POST', '/v1/restores/{id}/confirm')],
    status: [route('GET', '/v1/restores/{id}'), route('GET', '/v1/restores/{id}/plan'), route('GET', '/v1/jobs'), route('GET', '/v1/jobs/{id}'), route('GET', '/v1/status')],
  };
}

/** Recovery points in the buckets of this region: what happens elsewhere is told to the EventBridge there. */
function objectEvents(config: Config, region: string): readonly unknown[] {
  const prefixes = new Map<string, string[]>();
  for (const vault of vaultsOfRole(config)) {
    if (vault.region !== undefined && vault.region !== region) continue;
    const prefix = `${vault.prefix === undefined ? '' : `${vault.prefix}/`}points/`;
    prefixes.set(vault.bucket, [...(prefixes.get(vault.bucket) ?? []), prefix]);
  }
  return [...prefixes].map(([bucket, keys]) => ({
    eventBridge: { pattern: { source: ['aws.s3'], 'detail-type': ['Object Created'], detail: { bucket: { name: [bucket] }, object: { key: keys.map((prefix) => ({ prefix })) } } } },
  }));
}

/** Throws `LB_CONFIG_INVALID` unless this is the name of a function. */
export function lambdaFunction(name: string): LambdaFunction {
  const found = LAMBDA_FUNCTIONS.find((one) => one === name);
  if (found === undefined) throw new LifeboatError('LB_CONFIG_INVALID', `serverless.yml has a function that lifeboat does not know: ${name}`, { where: 'serverless.yml' });
  return found;
}
