import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processSurroundings } from '../../src/functions/process-surroundings.ts';
import { resolveSecrets } from '../../src/functions/secrets/resolve.ts';
import { signedHeaders } from '../../src/functions/secrets/sign.ts';
import { startMoto } from '../testbed/kms/moto.ts';
import type { Moto } from '../testbed/kms/moto.ts';
import { ownFolder } from './surroundings.ts';

const REGION = 'eu-central-1';

it('signs as AWS signs', () => {
  // `post-vanilla` of the test suite that AWS publishes for signature version 4.
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
  const post = { url: new URL('https://example.amazonaws.com/'), service: 'service', region: 'us-east-1', headers: {}, body: '' };
  expect(signedHeaders(post, credentials, Date.parse('2015-08-30T12:36:00Z'))).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, ' +
      'Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  });
});

describe('secrets that a function refers to', () => {
  let moto: Moto;
  let env: NodeJS.ProcessEnv;
  const arns: Record<string, string> = {};
  beforeAll(async () => {
    moto = await startMoto();
    env = { AWS_ENDPOINT_URL: moto.address, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any', AWS_SESSION_TOKEN: 'any' };
    const [secret, , parameter] = await moto.ask(REGION, [
      ['secretsmanager', 'create_secret', { Name: 'lifeboat/queue', SecretString: 'a-password-of-the-queue' }],
      ['ssm', 'put_parameter', { Name: '/lifeboat/kubeconfig', Value: 'apiVersion: v1', Type: 'SecureString' }],
      ['ssm', 'get_parameter', { Name: '/lifeboat/kubeconfig' }],
    ]);
    arns['queue'] = secret?.['ARN'] as string;
    arns['kubeconfig'] = (parameter?.['Parameter'] as { ARN: string } | undefined)?.ARN ?? '';
  });
  afterAll(() => moto.stop());

  it('are fetched into the variables and files that lifeboat.yaml names, and are hidden', async () => {
    const hidden: string[] = [];
    const folder = await ownFolder();
    const file = `${folder}/kube/config`;
    const given = { ...env, LIFEBOAT_SECRETS: JSON.stringify({ LIFEBOAT_QUEUE_PASSWORD: arns['queue'], [file]: arns['kubeconfig'] }) };
    await resolveSecrets(given, (secret) => hidden.push(secret));
    expect(given).toMatchObject({ LIFEBOAT_QUEUE_PASSWORD: 'a-password-of-the-queue' });
    expect(await readFile(file, 'utf8')).toBe('apiVersion: v1');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(hidden.toSorted()).toEqual(['a-password-of-the-queue', 'apiVersion: v1']);
  });

  it.each([
    ['that is not there', `arn:aws:secretsmanager:${REGION}:123456789012:secret:lifeboat/gone-AbCdEf`, 'LB_KEY_GONE'],
    ['whose parameter is not there', `arn:aws:ssm:${REGION}:123456789012:parameter/gone`, 'LB_KEY_GONE'],
    ['that is no ARN of a secret', 'a-password-that-somebody-wrote-here', 'LB_CONFIG_INVALID'],
  ])('fail clearly for one %s', async (_what, arn, code) => {
    const error: unknown = await resolveSecrets({ ...env, LIFEBOAT_SECRETS: JSON.stringify({ X: arn }) }, () => {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('a-password');
  });

  it('fail clearly when the service does not answer, and where they may not be put', async () => {
    const references = JSON.stringify({ X: arns['queue'] });
    await expect(resolveSecrets({ ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1', LIFEBOAT_SECRETS: references }, () => {})).rejects.toMatchObject({ code: 'LB_KEY_UNAVAILABLE' });
    await expect(resolveSecrets({ ...env, LIFEBOAT_SECRETS: JSON.stringify({ '/etc/passwd': arns['queue'] }) }, () => {})).rejects.toMatchObject({ code: 'LB_CONFIG_INVALID' });
  });

  it('are fetched when the queue is first needed, not before', async () => {
    const given = { ...env, LIFEBOAT_CONFIG_TEXT: await readFile(new URL('fixture/lifeboat.yaml', import.meta.url), 'utf8'), LIFEBOAT_SECRETS: JSON.stringify({ LIFEBOAT_QUEUE_PASSWORD: arns['queue'] }) };
    const surroundings = processSurroundings({}, given);
    expect((await surroundings.config()).queue).toMatchObject({ type: 'redis' });
    expect(given).not.toHaveProperty('LIFEBOAT_QUEUE_PASSWORD');
    await surroundings.jobs().catch(() => undefined);
    expect(given).toHaveProperty('LIFEBOAT_QUEUE_PASSWORD', 'a-password-of-the-queue');
  });
});
