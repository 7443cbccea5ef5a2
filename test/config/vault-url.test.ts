import { describe, expect, it } from 'vitest';
import { parseVaultUrl } from '../../src/config/vault-url.ts';

describe('a vault named on the command line', () => {
  it('may be a folder', () => {
    expect(parseVaultUrl('dir:/backups/a', '/here')).toEqual({ type: 'directory', path: '/backups/a' });
    expect(parseVaultUrl('dir:///backups/a', '/here')).toEqual({ type: 'directory', path: '/backups/a' });
    expect(parseVaultUrl('dir:backups', '/here')).toEqual({ type: 'directory', path: '/here/backups' });
    expect(parseVaultUrl('./backups', '/here')).toEqual({ type: 'directory', path: '/here/backups' });
  });

  it('may be a bucket, with what is needed to reach it', () => {
    expect(
      parseVaultUrl('s3://bucket/some/prefix/?endpoint=https://s3.example.net:9000&region=eu-1&pathStyle=true&profile=backups', '/'),
    ).toEqual({
      type: 's3',
      bucket: 'bucket',
      prefix: 'some/prefix',
      endpoint: 'https://s3.example.net:9000',
      region: 'eu-1',
      pathStyle: true,
      credentials: { profile: 'backups' },
    });
    expect(parseVaultUrl('s3://bucket', '/')).toEqual({ type: 's3', bucket: 'bucket' });
  });

  it('is refused with a suggestion when it cannot be understood', () => {
    expect(() => parseVaultUrl('backups', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('gs://bucket', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('dir:', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('s3://bucket?endpiont=x', '/')).toThrow(expect.objectContaining({ hint: 'Did you mean `endpoint`?' }) as Error);
    expect(() => parseVaultUrl('s3://bucket?endpoint=host', '/')).toThrow('use a URL that starts with https://');
  });

  it('never carries credentials, nor shows them when it is refused', () => {
    expect(() => parseVaultUrl('s3://id:hunter2@bucket', '/')).toThrow(
      expect.objectContaining({ code: 'LB_USAGE', message: 'The vault `s3://…@bucket` carries credentials' }) as Error,
    );
  });
});
