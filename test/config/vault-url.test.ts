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

  it('may be a bucket of Google Cloud Storage', () => {
    expect(parseVaultUrl('gs://bucket', '/')).toEqual({ type: 'gcs', bucket: 'bucket' });
    expect(parseVaultUrl('gs://bucket/some/prefix?keyFile=keys/gcs.json&endpoint=https://s.p.googleapis.com&lock=true', '/here')).toEqual({
      type: 'gcs',
      bucket: 'bucket',
      prefix: 'some/prefix',
      endpoint: 'https://s.p.googleapis.com',
      credentials: { keyFile: '/here/keys/gcs.json' },
      lock: true,
    });
    expect(parseVaultUrl('gs://bucket?keyEnv=KEY', '/')).toEqual({ type: 'gcs', bucket: 'bucket', credentials: { keyEnv: 'KEY' } });
  });

  it('may be a container of Azure Blob Storage', () => {
    expect(parseVaultUrl('azure://account/container', '/')).toEqual({ type: 'azure', account: 'account', container: 'container' });
    expect(parseVaultUrl('azure://account/container/some/prefix/?sasEnv=SAS&endpoint=http://127.0.0.1:10000/account&lock=false', '/')).toEqual({
      type: 'azure',
      account: 'account',
      container: 'container',
      prefix: 'some/prefix',
      endpoint: 'http://127.0.0.1:10000/account',
      credentials: { sasEnv: 'SAS' },
      lock: false,
    });
    expect(() => parseVaultUrl('azure://account', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('azure://acc.ount/container', '/')).toThrow('the name of a storage account');
  });

  it('is refused with a suggestion when it cannot be understood', () => {
    expect(() => parseVaultUrl('backups', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('ftp://bucket', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('dir:', '/')).toThrow('is not an address of a vault');
    expect(() => parseVaultUrl('s3://bucket?endpiont=x', '/')).toThrow(expect.objectContaining({ hint: 'Did you mean `endpoint`?' }) as Error);
    expect(() => parseVaultUrl('s3://bucket?endpoint=host', '/')).toThrow('use a URL that starts with https://');
  });

  it('never carries credentials, nor shows them when it is refused', () => {
    expect(() => parseVaultUrl('s3://id:hunter2@bucket', '/')).toThrow(
      expect.objectContaining({ code: 'LB_USAGE', message: 'The vault `s3://…@bucket` carries credentials' }) as Error,
    );
    expect(() => parseVaultUrl('azure://account/container?sv=2026&sig=hunter2', '/')).toThrow(
      expect.objectContaining({ code: 'LB_USAGE', message: 'The vault `azure://account/container` carries credentials' }) as Error,
    );
    expect(() => parseVaultUrl('s3://bucket/prefix?region=r&secretAccessKey=hidden', '/')).toThrow(
      expect.objectContaining({ code: 'LB_USAGE', message: 'The vault `s3://bucket/prefix` has an unknown parameter `secretAccessKey`' }) as Error,
    );
  });
});
