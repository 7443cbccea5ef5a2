import type { S3VaultConfig } from '../../src/vault/config.ts';
import type { S3Credentials } from '../testbed/s3/server.ts';

type S3Settings = Omit<S3VaultConfig, 'name'>;

/** The settings of a vault in a bucket of a test server. Its credentials are put into this process's environment. */
export function s3Settings(
  server: { readonly endpoint: string; readonly credentials: S3Credentials },
  bucket: string,
  more: Partial<S3Settings> = {},
): S3Settings {
  const { accessKeyId, secretAccessKey } = server.credentials;
  const accessKeyIdEnv = `TEST_ID_${accessKeyId}`;
  const secretAccessKeyEnv = `TEST_SECRET_${accessKeyId}`;
  process.env[accessKeyIdEnv] = accessKeyId;
  process.env[secretAccessKeyEnv] = secretAccessKey;
  return { type: 's3', endpoint: server.endpoint, bucket, credentials: { accessKeyIdEnv, secretAccessKeyEnv }, ...more };
}
