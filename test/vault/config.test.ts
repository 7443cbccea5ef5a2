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
  ])('may not be %j', (value) => {
    expect(accepts(value)).toBe(false);
  });
});
