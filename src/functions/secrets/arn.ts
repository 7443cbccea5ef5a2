import { LifeboatError } from '../../core/errors.ts';

/** Where a secret is kept in AWS. */
export interface SecretArn {
  readonly arn: string;
  readonly service: 'secretsmanager' | 'ssm';
  readonly partition: string;
  readonly region: string;
}

const ARN = /^arn:(aws[\w-]*):(secretsmanager|ssm):([a-z0-9-]+):\d{12}:(secret:|parameter\/).+$/;

/** A secret of Secrets Manager, or a parameter of Systems Manager. Throws `LB_CONFIG_INVALID`. */
export function parseSecretArn(arn: string): SecretArn {
  const [, partition, service, region, what] = ARN.exec(arn) ?? [];
  if (partition === undefined || region === undefined || (service === 'ssm') !== (what === 'parameter/')) {
    throw new LifeboatError('LB_CONFIG_INVALID', 'A secret is named by something that is no ARN of a secret', {
      hint: 'Write `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-RANDOM`, or `arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`.',
    });
  }
  return { arn, service: service === 'ssm' ? 'ssm' : 'secretsmanager', partition, region };
}
