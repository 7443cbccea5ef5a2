import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LAMBDA_FUNCTIONS } from '../../infra/functions/bundle.ts';
import { startMoto } from '../testbed/kms/moto.ts';
import { layOut, serverless } from './service-folder.ts';
import { ownFolder } from './surroundings.ts';

const REGION = 'eu-central-1';

interface DeployedFunction {
  readonly FunctionName: string;
  readonly Handler: string;
  readonly CodeSha256: string;
  readonly Role: string;
  readonly Environment: { readonly Variables: Record<string, string> };
}

// What moto passes over in silence (schedules, the HTTP API, alarms, destinations) is looked for in the template: package.test.ts.
it('`serverless deploy` brings everything to AWS, and `serverless remove` takes it away', async () => {
  await using moto = await startMoto();
  const folder = await ownFolder();
  await layOut(folder);
  await cp(fileURLToPath(new URL('moto-compat.cjs', import.meta.url)), join(folder, 'moto-compat.cjs'));
  const file = join(folder, 'serverless.yml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('  - serverless-offline\n', '  - ./moto-compat.cjs\n'));
  const env = { AWS_ENDPOINT_URL: moto.address };

  // moto looks at the template with cfn-lint, and takes none with a mistake.
  const deployed = await serverless(folder, ['deploy'], env);
  expect(deployed.output).toContain('Service deployed to stack lifeboat-prod');

  const [functions, rules, targets, queues, logs, topics, roles, concurrency, policies] = await moto.ask(REGION, [
    ['lambda', 'list_functions'],
    ['events', 'list_rules'],
    ['events', 'list_targets_by_rule', { Rule: 'lifeboat-prod-replicate-rule-1' }],
    ['sqs', 'list_queues'],
    ['logs', 'describe_log_groups'],
    ['sns', 'list_topics'],
    ['iam', 'list_roles'],
    ['lambda', 'get_function_concurrency', { FunctionName: 'lifeboat-prod-work' }],
    ['iam', 'list_policies', { Scope: 'Local' }],
  ]);
  const held = functions?.['Functions'] as DeployedFunction[];
  expect(held.map(({ FunctionName: name }) => name).toSorted()).toEqual(LAMBDA_FUNCTIONS.map((name) => `lifeboat-prod-${name}`).toSorted());
  for (const { FunctionName, Handler, CodeSha256, Role, Environment } of held) {
    const name = FunctionName.replace('lifeboat-prod-', '');
    const archive = await readFile(join(folder, '.serverless', `${name}.zip`));
    expect(CodeSha256).toBe(createHash('sha256').update(archive).digest('base64'));
    expect(Handler).toBe(`functions/${name}.handler`);
    expect(Role.toLowerCase()).toContain(`lifeboat-prod-${name}role`);
    expect(Environment.Variables['LIFEBOAT_SECRETS']).toMatch(/^\{"[^"]+":"arn:aws:/);
  }
  expect(rules?.['Rules']).toMatchObject([{ Name: 'lifeboat-prod-replicate-rule-1', State: 'ENABLED', EventPattern: expect.stringContaining('lifeboat/shop/points/') as string }]);
  expect(targets?.['Targets']).toMatchObject([{ Arn: expect.stringMatching(/:function:lifeboat-prod-replicate$/) as string }]);
  expect(queues?.['QueueUrls']).toEqual([expect.stringContaining('lifeboat-prod-DeadLetters-')]);
  expect(topics?.['Topics']).toHaveLength(1);
  expect((logs?.['logGroups'] as { retentionInDays: number }[] | undefined)?.map(({ retentionInDays: days }) => days)).toEqual(LAMBDA_FUNCTIONS.map(() => 30));
  expect(roles?.['Roles']).toHaveLength(LAMBDA_FUNCTIONS.length + 1);
  expect(concurrency).toMatchObject({ ReservedConcurrentExecutions: 3 });
  expect(policies?.['Policies']).toHaveLength(4);

  const removed = await serverless(folder, ['remove'], env);
  expect(removed.output).toContain('successfully removed');
  const left = await moto.ask(REGION, [['lambda', 'list_functions'], ['sqs', 'list_queues'], ['iam', 'list_roles'], ['s3', 'list_buckets']]);
  expect(left[0]?.['Functions']).toEqual([]);
  expect(left[1]?.['QueueUrls'] ?? []).toEqual([]);
  expect(left[2]?.['Roles']).toEqual([]);
  expect(left[3]?.['Buckets']).toEqual([]);
});
