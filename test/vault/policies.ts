import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PolicyStatement } from '../testbed/s3/server.ts';

export type VaultRole = 'writer' | 'reader' | 'maintainer';
export const VAULT_ROLES: readonly VaultRole[] = ['writer', 'reader', 'maintainer'];

const statement = z.strictObject({
  Sid: z.string().regex(/^[A-Za-z]+$/),
  Effect: z.enum(['Allow', 'Deny']),
  Action: z.union([z.string(), z.array(z.string()).min(1)]),
  Resource: z.string().regex(/^arn:aws:s3:::BUCKET(\/PREFIX\/((?:reports|jobs)\/)?\*)?$/),
  Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});
const policy = z.strictObject({ Version: z.literal('2012-10-17'), Statement: z.array(statement) });

/** One of the published policies, as it is. */
export async function readS3Policy(role: VaultRole): Promise<z.infer<typeof policy>> {
  return policy.parse(JSON.parse(await readVaultFile(`s3/${role}.json`)));
}

export function readVaultFile(name: string): Promise<string> {
  return readFile(new URL(`../../infra/vaults/${name}`, import.meta.url), 'utf8');
}

/**
 * What other servers than Amazon S3 can be told of a published policy, for one user. They do not know its conditions: a rule that denies
 * under one is left out, a rule that allows under one goes without it, as infra/vaults/README.md says.
 */
export async function statementsFor(role: VaultRole, principal: string, bucket: string, prefix: string): Promise<PolicyStatement[]> {
  const { Statement } = await readS3Policy(role);
  return Statement.filter(({ Effect, Condition }) => Effect === 'Allow' || Condition === undefined).map(({ Effect, Action, Resource }) => ({
    Effect,
    Action,
    Principal: { AWS: [principal] },
    Resource: Resource.replace('BUCKET', bucket).replace('PREFIX', prefix),
  }));
}
