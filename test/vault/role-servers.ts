import { randomBytes } from 'node:crypto';
import { putBucketPolicy } from '../testbed/s3/server.ts';
import type { S3Credentials, S3Server } from '../testbed/s3/server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import { createVersitygwUser, startVersitygw } from '../testbed/s3/versitygw.ts';
import { statementsFor, VAULT_ROLES } from './policies.ts';
import type { VaultRole } from './policies.ts';

/** Somebody who may do nothing until a bucket's policy says so, and how that names him. */
interface RoleUser {
  readonly credentials: S3Credentials;
  readonly principal: string;
}

/** A real server that enforces policies of buckets and object lock, with a user for each role. */
export interface RoleServer {
  readonly server: S3Server;
  readonly users: ReadonlyMap<VaultRole, RoleUser>;
}

async function versitygw(): Promise<RoleServer> {
  const server = await startVersitygw();
  const users = new Map<VaultRole, RoleUser>();
  for (const role of VAULT_ROLES) {
    const credentials = await createVersitygwUser(server);
    users.set(role, { credentials, principal: credentials.accessKeyId });
  }
  return { server, users };
}

async function seaweedfs(): Promise<RoleServer> {
  const users = new Map<VaultRole, RoleUser>();
  for (const role of VAULT_ROLES) {
    const credentials = { accessKeyId: `${role}${randomBytes(6).toString('hex')}`, secretAccessKey: randomBytes(20).toString('hex') };
    users.set(role, { credentials, principal: `arn:aws:iam::000000000000:user/${role}` });
  }
  const server = await startSeaweedfs({}, [...users].map(([name, { credentials }]) => ({ name, actions: [], ...credentials })));
  return { server, users };
}

export const ROLE_SERVERS: readonly (readonly [string, () => Promise<RoleServer>])[] = [
  ['versitygw', versitygw],
  ['SeaweedFS', seaweedfs],
];

/** Makes a bucket with object lock in which each role may do below a prefix what infra/vaults/s3 says, and gives its name. */
export async function bucketForRoles({ server, users }: RoleServer, prefix: string): Promise<string> {
  const bucket = await server.createBucket({ lock: true });
  const statements = await Promise.all([...users].map(([role, { principal }]) => statementsFor(role, principal, bucket, prefix)));
  await putBucketPolicy(server, bucket, statements.flat());
  return bucket;
}

/** What a role signs with. */
export function credentialsOf({ users }: RoleServer, role: VaultRole): S3Credentials {
  const user = users.get(role);
  if (user === undefined) throw new Error(`there is no ${role}`);
  return user.credentials;
}
