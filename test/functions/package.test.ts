import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAMBDA_FUNCTIONS } from '../../infra/functions/bundle.ts';
import { layOut, serverless } from './service-folder.ts';
import { ownFolder } from './surroundings.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
}

let folder: string;
let text: string;
let resources: Record<string, Resource>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-package-'));
  await layOut(folder);
  const { code, output } = await serverless(folder, ['package']);
  expect(output).toContain('Service packaged');
  expect(code).toBe(0);
  text = await readFile(join(folder, '.serverless/cloudformation-template-update-stack.json'), 'utf8');
  resources = (JSON.parse(text) as { Resources: Record<string, Resource> }).Resources;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function ofType(type: string): [string, Record<string, unknown>][] {
  return Object.entries(resources).flatMap(([id, { Type, Properties }]) => (Type === type ? [[id, Properties]] : []));
}

/** What a role may do: its own policies, and those that are attached to it. */
function statementsOf(id: string): Statement[] {
  const own = (resources[id]?.Properties['Policies'] ?? []) as { PolicyDocument: { Statement: Statement[] } }[];
  const arns = (resources[id]?.Properties['ManagedPolicyArns'] ?? []) as { Ref: string }[];
  const attached = arns.map(({ Ref }) => resources[Ref]?.Properties as unknown as (typeof own)[number]);
  return [...own, ...attached].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

describe('the template that `npx serverless package` writes, with nobody to call', () => {
  it('has a schedule of EventBridge for each of lifeboat.yaml, in its time zone, with its plan', () => {
    const schedules = ofType('AWS::Scheduler::Schedule').map(([id, { ScheduleExpression: expression, ScheduleExpressionTimezone: timezone, Target: target }]) => {
      const { Input: input } = target as { Input?: string };
      return [id.replace(/SchedulerSchedule\d+$/, ''), expression, timezone, input === undefined ? undefined : (JSON.parse(input) as { plan?: string }).plan];
    });
    expect(schedules).toEqual([
      ['Backup', 'cron(0/15 * * * ? *)', 'UTC', 'shop'],
      ['Backup', 'cron(30 2 1 * ? *)', 'UTC', 'archive'],
      ['Backup', 'cron(30 2 ? * SUN *)', 'UTC', 'archive'],
      ['Drill', 'cron(0 3 ? * MON,TUE,WED,THU,FRI *)', 'Europe/Berlin', 'shop'],
      ['Verify', 'cron(0 0/3 * * ? *)', 'UTC', 'shop'],
      ['Verify', 'cron(30 1/3 * * ? *)', 'UTC', 'shop'],
      ['Retain', 'cron(0 0 * * ? *)', 'UTC', undefined],
      ['Work', 'rate(1 minute)', undefined, undefined],
    ]);
    const rung = JSON.stringify(statementsOf('SchedulerRole'));
    for (const name of ['backup', 'drill', 'verify', 'retain', 'work']) expect(rung).toContain(`function:lifeboat-prod-${name}"`);
    for (const name of ['restore', 'status', 'replicate']) expect(rung).not.toContain(`lifeboat-prod-${name}`);
  });

  it('has an HTTP API whose every route wants a token of the issuer of lifeboat.yaml', () => {
    expect(ofType('AWS::ApiGatewayV2::Authorizer').map(([, properties]) => properties)).toMatchObject([
      { AuthorizerType: 'JWT', IdentitySource: ['$request.header.Authorization'], JwtConfiguration: { Issuer: 'https://login.example.net/', Audience: ['lifeboat'] } },
    ]);
    const routes = ofType('AWS::ApiGatewayV2::Route');
    expect(routes.map(([, { RouteKey: key }]) => key)).toEqual([
      'POST /v1/restores',
      'POST /v1/restores/{id}/confirm',
      'GET /v1/restores/{id}',
      'GET /v1/restores/{id}/plan',
      'GET /v1/jobs',
      'GET /v1/jobs/{id}',
      'GET /v1/status',
    ]);
    for (const [, route] of routes) expect(route).toMatchObject({ AuthorizationType: 'JWT', AuthorizerId: { Ref: 'HttpApiAuthorizerOidc' } });
  });

  it('is told of recovery points in the buckets of its region', () => {
    expect(ofType('AWS::Events::Rule').map(([, { EventPattern: pattern }]) => pattern)).toEqual([
      { source: ['aws.s3'], 'detail-type': ['Object Created'], detail: { bucket: { name: ['acme-backups'] }, object: { key: [{ prefix: 'lifeboat/shop/points/' }] } } },
    ]);
  });

  it('gives each function a role of its own', () => {
    const roles = ofType('AWS::Lambda::Function').map(([, { Role: role }]) => (role as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0]);
    expect(roles).toEqual(['BackupRole', 'DrillRole', 'VerifyRole', 'RetainRole', 'ReplicateRole', 'RestoreRole', 'StatusRole', 'WorkRole']);
    expect(ofType('AWS::IAM::Role').map(([id]) => id).toSorted()).toEqual([...roles, 'SchedulerRole'].toSorted());
  });

  const HANDS_OVER = ['WriteLog', 'ReadSecrets', 'UseNetwork', 'GiveUp', 'CallWork'];
  it.each([
    ['BackupRole', HANDS_OVER],
    ['DrillRole', HANDS_OVER],
    ['VerifyRole', HANDS_OVER],
    ['RetainRole', HANDS_OVER],
    ['ReplicateRole', HANDS_OVER],
    ['SchedulerRole', ['Ring']],
  ])('lets %s do no more than it needs', (role, sids) => {
    const statements = statementsOf(role);
    expect(statements.map(({ Sid }) => Sid)).toEqual(sids);
    const actions = statements.flatMap(({ Action }) => Action).join(' ');
    expect(actions).not.toMatch(/s3:|kms:|iam:/);
    const secrets = statements.filter(({ Sid }) => Sid === 'ReadSecrets').map(({ Resource }) => Resource);
    expect(secrets).toEqual(role === 'SchedulerRole' ? [] : [['arn:aws:secretsmanager:eu-central-1:111122223333:secret:lifeboat/queue-AbCdEf']]);
  });

  it.each(['RestoreRole', 'StatusRole'])('lets %s add to the audit trail, and read no data', (role) => {
    const statements = statementsOf(role);
    const inVault = ['Record', 'ReadRecords', 'List'];
    expect(statements.map(({ Sid }) => Sid)).toEqual(['WriteLog', 'ReadSecrets', 'UseNetwork', ...inVault, ...inVault]);
    const written = statements.filter(({ Action }) => Action.includes('s3:PutObject')).map(({ Resource }) => JSON.stringify(Resource));
    expect(written).toEqual([expect.stringContaining('acme-backups/lifeboat/shop/audit/*"'), expect.stringContaining('acme-far/audit/*"')]);
    expect(JSON.stringify(statements)).not.toMatch(/packs|index|DeleteObject|kms:|lifeboat\/write|lifeboat\/maintain/);
  });

  it('lets the role of `work` alone reach what is in the vaults, below their prefixes, and open key slots', () => {
    const statements = statementsOf('WorkRole');
    const s3 = statements.filter(({ Action, Effect }) => Effect === 'Allow' && Action.some((one) => one.startsWith('s3:')));
    const places = new Set(s3.flatMap(({ Resource }) => Resource.map((one) => (one as { 'Fn::Sub': string })['Fn::Sub'].replace('arn:${AWS::Partition}:s3:::', ''))));
    expect([...places].toSorted()).toEqual(['acme-backups', 'acme-backups/lifeboat/shop/*', 'acme-backups/lifeboat/shop/jobs/*', 'acme-backups/lifeboat/shop/reports/*', 'acme-far', 'acme-far/*', 'acme-far/jobs/*', 'acme-far/reports/*']);
    expect(statements.find(({ Sid }) => Sid === 'OpenSlots')).toMatchObject({ Action: ['kms:Decrypt'], Resource: [expect.stringContaining(':key/1234abcd')] });
    expect(statements.filter(({ Sid }) => Sid === 'CreateOnly')).toHaveLength(2);
    // Locks: in the vault that has them, for as long as the plan says and a day.
    expect(statements.filter(({ Sid }) => Sid === 'MakeLocksLonger').map((one) => JSON.stringify(one))).toEqual([expect.stringMatching(/acme-backups.*"31"/)]);
    expect(statements.find(({ Sid }) => Sid === 'ReadParameters')?.Resource).toEqual(['arn:aws:ssm:eu-central-1:111122223333:parameter/lifeboat/maintain']);
  });

  it('has no `*` for an action anywhere, and for a resource only where AWS knows nothing narrower', () => {
    for (const [id] of ofType('AWS::IAM::Role')) {
      for (const { Action, Resource, Sid } of statementsOf(id)) {
        for (const action of Action) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
        expect(Sid === 'UseNetwork' || !Resource.includes('*')).toBe(true);
      }
    }
  });

  it('keeps events that were given up, and calls `work` after the others', () => {
    for (const name of ['Backup', 'Drill', 'Verify', 'Retain', 'Replicate']) {
      expect(resources[`${name}LambdaFunction`]?.Properties['DeadLetterConfig']).toEqual({ TargetArn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } });
      expect(resources[`${name}LambdaEvConf`]?.Properties['DestinationConfig']).toEqual({ OnSuccess: { Destination: { 'Fn::GetAtt': ['WorkLambdaFunction', 'Arn'] } } });
    }
    expect(resources['DeadLetters']).toMatchObject({ Type: 'AWS::SQS::Queue', Properties: { SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 } });
    expect(resources['WorkLambdaFunction']?.Properties).toMatchObject({ ReservedConcurrentExecutions: 3, Timeout: 900, MemorySize: 1769 });
  });

  it('rings when something fails, is given up, or does not ring', () => {
    const alarms = new Map(ofType('AWS::CloudWatch::Alarm'));
    for (const name of LAMBDA_FUNCTIONS) expect([...alarms.keys()]).toContain(`${name.slice(0, 1).toUpperCase()}${name.slice(1)}Errors`);
    for (const alarm of alarms.values()) expect(alarm).toMatchObject({ AlarmActions: [{ Ref: 'Alarms' }] });
    expect(alarms.get('BackupThrottles')).toMatchObject({ MetricName: 'Throttles', TreatMissingData: 'notBreaching' });
    expect(alarms.get('DeadLettersWaiting')).toMatchObject({ MetricName: 'ApproximateNumberOfMessagesVisible' });
    // Every 15 minutes: silent for half as long again, and 5 minutes.
    expect(alarms.get('BackupShopMissed')).toMatchObject({
      Namespace: 'lifeboat',
      MetricName: 'Ticks',
      Dimensions: [{ Name: 'function', Value: 'backup' }, { Name: 'plan', Value: 'shop' }],
      Period: 1680,
      EvaluationPeriods: 1,
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
    });
    // From Friday to Monday.
    expect(alarms.get('DrillShopMissed')).toMatchObject({ Period: 86_400, EvaluationPeriods: 5 });
    expect(alarms.get('WorkMissing')).toMatchObject({ MetricName: 'Invocations', TreatMissingData: 'breaching' });
    expect(resources['Alarms']?.Properties).toEqual({ Subscription: [{ Protocol: 'email', Endpoint: 'night-watch@example.net' }] });
  });

  it('keeps logs for a month, in groups of its own', () => {
    expect(ofType('AWS::Logs::LogGroup').map(([, { RetentionInDays: days }]) => days)).toEqual(LAMBDA_FUNCTIONS.map(() => 30));
  });

  it('holds references to secrets, for those who need them, and no secret', () => {
    const secretsOf = (name: string): string[] => {
      const environment = resources[`${name}LambdaFunction`]?.Properties['Environment'] as { Variables: Record<string, string> } | undefined;
      const { LIFEBOAT_SECRETS: references = '{}', ...rest } = environment?.Variables ?? {};
      expect(Object.keys(rest).toSorted()).toEqual(['LIFEBOAT_CONFIG', 'NODE_OPTIONS']);
      const secrets = JSON.parse(references) as Record<string, string>;
      for (const arn of Object.values(secrets)) expect(arn).toMatch(/^arn:aws:(?:secretsmanager|ssm):/);
      return Object.keys(secrets);
    };
    for (const name of ['Backup', 'Drill', 'Verify', 'Retain', 'Replicate']) expect(secretsOf(name)).toEqual(['LIFEBOAT_QUEUE_PASSWORD']);
    for (const name of ['Restore', 'Status']) expect(secretsOf(name)).toEqual(['LIFEBOAT_AUDIT_KEY', 'LIFEBOAT_GCS_KEY', 'LIFEBOAT_QUEUE_PASSWORD']);
    expect(secretsOf('Work')).toEqual(
      ['LIFEBOAT_QUEUE_PASSWORD', 'LIFEBOAT_GCS_KEY', 'LIFEBOAT_MAINTAIN_KEY', 'LIFEBOAT_WRITE_KEY', '/tmp/lifeboat/shop.kubeconfig', '/tmp/lifeboat/spare.kubeconfig'].toSorted(),
    );
    expect(text).not.toMatch(/AGE-SECRET-KEY|lifeboat-(?:write|read|maintain)-key-|BEGIN [A-Z ]*PRIVATE KEY|resolve:secretsmanager|resolve:ssm/);
  });

  it('runs in the network of the queue, on Node 24', () => {
    for (const [, properties] of ofType('AWS::Lambda::Function')) {
      expect(properties).toMatchObject({ Runtime: 'nodejs24.x', VpcConfig: { SubnetIds: ['subnet-0aaaaaaaaaaaaaaaa', 'subnet-0bbbbbbbbbbbbbbbb'], SecurityGroupIds: ['sg-0cccccccccccccccc'] } });
    }
  });

  it('comes with an archive for each function: its code, and lifeboat.yaml', async () => {
    const list = async (name: string): Promise<string[]> => {
      const { stdout } = await promisify(execFile)('python3', ['-c', 'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;print("\\n".join(z.namelist()))', join(folder, '.serverless', `${name}.zip`)]);
      return stdout.trim().split('\n');
    };
    for (const name of ['backup', 'work']) expect(await list(name)).toEqual(expect.arrayContaining([`functions/${name}.js`, 'lifeboat.yaml', 'package.json']));
    expect((await list('backup')).filter((path) => path.startsWith('functions/'))).toEqual(['functions/backup.js']);
  });
});

describe('a deployment that cannot work', () => {
  async function packaged(change: { readonly config?: (text: string) => string; readonly settings?: (text: string) => string }): Promise<string> {
    const own = await ownFolder();
    await layOut(own);
    for (const [file, edit] of [['lifeboat.yaml', change.config], ['lifeboat.aws.yaml', change.settings]] as const) {
      const path = join(own, file);
      if (edit !== undefined) await writeFile(path, edit(await readFile(path, 'utf8')));
    }
    const { code, output } = await serverless(own, ['package']);
    expect(code).not.toBe(0);
    return output;
  }

  it('is refused with the embedded queue', async () => {
    const output = await packaged({ config: (text) => text.replace(/^queue:.*$/m, 'queue: { type: embedded }') });
    expect(output).toContain('Functions cannot share the embedded queue');
    expect(output).toContain('LB_QUEUE_UNSUITABLE');
  });

  it('is refused without a place for a secret that lifeboat.yaml takes', async () => {
    const output = await packaged({ settings: (text) => text.replace(/^ {2}LIFEBOAT_WRITE_KEY:.*\n/m, '') });
    expect(output).toContain('takes `LIFEBOAT_WRITE_KEY`, and `secrets` does not say where it is');
  });
});
