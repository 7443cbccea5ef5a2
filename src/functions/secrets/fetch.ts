import { z } from 'zod';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import { parseSecretArn } from './arn.ts';
import type { SecretArn } from './arn.ts';
import { signedHeaders } from './sign.ts';
import type { AwsCredentials } from './sign.ts';

const PATIENCE = 5_000;
const ATTEMPTS = 3;

const secretAnswer = z.object({ SecretString: z.string() });
const parameterAnswer = z.object({ Parameter: z.object({ Value: z.string() }) });

/** The value of a secret, with the credentials of the function's role. Throws `LB_KEY_ACCESS`, `LB_KEY_GONE`, `LB_KEY_UNAVAILABLE`, `LB_CONFIG_INVALID`. */
export async function fetchSecret(arn: string, env: NodeJS.ProcessEnv): Promise<string> {
  const secret = parseSecretArn(arn);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(secret, env);
    } catch (error) {
      if (!(error instanceof LifeboatError) || !error.retriable || attempt === ATTEMPTS) throw error;
    }
  }
}

async function ask({ arn, service, partition, region }: SecretArn, env: NodeJS.ProcessEnv): Promise<string> {
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(env['AWS_ENDPOINT_URL'] ?? `https://${service}.${region}.${suffix}/`);
  const body = JSON.stringify(service === 'ssm' ? { Name: arn, WithDecryption: true } : { SecretId: arn });
  const target = service === 'ssm' ? 'AmazonSSM.GetParameter' : 'secretsmanager.GetSecretValue';
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const signed = signedHeaders({ url, service, region, headers, body }, credentialsOf(env), Date.now());
  const answer = await fetch(url, { method: 'POST', headers: signed, body, signal: AbortSignal.timeout(PATIENCE) }).catch((error: unknown) => {
    const hint = 'In a VPC the function needs an endpoint of the service, or a way out.';
    throw new LifeboatError('LB_KEY_UNAVAILABLE', `A secret could not be fetched: ${messageOf(error)}`, { where: arn, hint, cause: error });
  });
  const text = await answer.text();
  if (!answer.ok) throw refused(arn, answer.status, text);
  return valueIn(service, text, arn);
}

function valueIn(service: SecretArn['service'], text: string, arn: string): string {
  try {
    const answer: unknown = JSON.parse(text);
    return service === 'ssm' ? parameterAnswer.parse(answer).Parameter.Value : secretAnswer.parse(answer).SecretString;
  } catch {
    throw new LifeboatError('LB_KEY_GONE', 'The secret holds no text', { where: arn, hint: 'Store it as text, not as bytes.' });
  }
}

function refused(arn: string, status: number, text: string): LifeboatError {
  const kind = /"__type"\s*:\s*"(?:[^"]*#)?(\w+)"/.exec(text)?.[1] ?? `HTTP ${status}`;
  if (/NotFound/.test(kind)) return new LifeboatError('LB_KEY_GONE', `There is no such secret (${kind})`, { where: arn });
  const passes = status >= 500 || /Throttl|InternalService|TooManyRequests/.test(kind);
  if (passes) return new LifeboatError('LB_KEY_UNAVAILABLE', `A secret could not be fetched (${kind})`, { where: arn });
  const hint = 'The role of the function needs the right to read it, and to use the key that it is encrypted with.';
  return new LifeboatError('LB_KEY_ACCESS', `The secret was refused (${kind})`, { where: arn, hint });
}

function credentialsOf(env: NodeJS.ProcessEnv): AwsCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new LifeboatError('LB_KEY_ACCESS', 'There are no AWS credentials to fetch secrets with', { hint: 'A Lambda function has those of its role.' });
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}
