import { describe, expect, it } from 'vitest';
import { vaultConfigSchema } from '../../src/vault/config.ts';

const accepts = (value: unknown): boolean => vaultConfigSchema.safeParse(value).success;

describe('a vault in lifeboat.yaml', () => {
  it.each([
    { type: 'directory', path: '/backups' },
    { type: 's3', bucket: 'backups' },
    { type: 's3', bucket: 'backups', prefix: 'team-a/prod', region: 'eu-west-1' },
    { type: 's3', bucket: 'backups', endpoint: 'http://localhost:9000', pathStyle: false, credentials: { profile: 'backup' } },
    { type: 's3', bucket: 'backups', credentials: { accessKeyIdEnv: 'ID', secretAccessKeyEnv: 'SECRET', sessionTokenEnv: 'TOKEN' } },
    { type: 's3', bucket: 'backups', lock: true, lockMode: 'governance' },
    { type: 'gcs', bucket: 'backups' },
    { type: 'gcs', bucket: 'backups', prefix: 'a', endpoint: 'https://storage-x.p.googleapis.com', credentials: { keyFile: 'gcs.json' }, lock: true },
    { type: 'gcs', bucket: 'backups', credentials: { keyEnv: 'KEY' } },
    { type: 'azure', account: 'backups1', container: 'prod' },
    { type: 'azure', account: 'backups1', container: 'prod-1', endpoint: 'http://127.0.0.1:10000/backups1', credentials: { sasEnv: 'SAS' } },
    { type: 'azure', account: 'backups1', container: 'prod', credentials: { accountKeyEnv: 'KEY' }, lock: true, lockMode: 'governance' },
    { type: 'azure', account: 'backups1', container: 'prod', credentials: { connectionStringEnv: 'TEXT' } },
  ])('may be $type, as in %j', (value) => {
    expect(accepts(value)).toBe(true);
  });

  it.each([
    { type: 'directory' },
    { type: 'directory', path: '' },
    { type: 'directory', path: '/backups', bucket: 'b' },
    { type: 'directory', path: '/backups', lock: true },
    { type: 's3', bucket: 'backups', lockMode: 'COMPLIANCE' },
    { type: 'ftp', path: '/backups' },
    { type: 's3' },
    { type: 's3', bucket: 'backups', prefix: '/a' },
    { type: 's3', bucket: 'backups', prefix: 'a/' },
    { type: 's3', bucket: 'backups', prefix: '../a' },
    { type: 's3', bucket: 'backups', endpoint: 'localhost:9000' },
    { type: 's3', bucket: 'backups', endpoint: 'ftp://localhost' },
    { type: 's3', bucket: 'backups', credentials: { accessKeyIdEnv: 'ID' } },
    { type: 's3', bucket: 'backups', credentials: { profile: 'a', accessKeyIdEnv: 'ID', secretAccessKeyEnv: 'SECRET' } },
    { type: 's3', bucket: 'backups', credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' } },
    { type: 's3', bucket: 'backups', endpoint: 'https://id:secret@s3.example.net' },
    { type: 'gcs' },
    { type: 'gcs', bucket: 'backups', region: 'eu' },
    { type: 'gcs', bucket: 'backups', credentials: { keyFile: 'a', keyEnv: 'B' } },
    { type: 'azure', account: 'backups1' },
    { type: 'azure', account: 'Backups', container: 'prod' },
    { type: 'azure', account: 'backups1', container: 'prod--1' },
    { type: 'azure', account: 'backups1', container: 'prod', endpoint: 'https://backups1.blob.core.windows.net?sv=1&sig=hush' },
    { type: 'azure', account: 'backups1', container: 'prod', credentials: { sas: 'sv=1&sig=hush' } },
  ])('may not be %j', (value) => {
    expect(accepts(value)).toBe(false);
  });
});
