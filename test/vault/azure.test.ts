import { BlobServiceClient, ContainerSASPermissions, generateBlobSASQueryParameters, StorageSharedKeyCredential } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AzureVaultConfig } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startAzurite } from '../testbed/azure/azurite.ts';
import type { AzureServer } from '../testbed/azure/azurite.ts';
import { azureSettings } from './azure-settings.ts';
import { codeOf, codesOf, digest, digestOf, failure, inParts, keysOf, read, someBytes } from './bytes.ts';
import { everythingIn } from './secrets.ts';

type Settings = Omit<AzureVaultConfig, 'name'>;

const HOUR = 3_600_000;
const LARGE = someBytes(40_000_000);

const open = (settings: Settings): Promise<Vault> => openVault({ ...settings, name: 'remote' }, { retry: false });

/** Every call there is, each of which must fail. */
const allCalls = (vault: Vault): Promise<unknown>[] => [
  vault.put('a', someBytes(10)),
  vault.put('b', LARGE),
  vault.get('a'),
  vault.get('a', { offset: -5, length: 2 }),
  vault.get('a', { original: true }),
  vault.head('a'),
  vault.delete('a'),
  keysOf(vault),
];

describe('a container of Azurite', () => {
  let server: AzureServer;
  let container: string;
  let variables = 0;
  beforeAll(async () => {
    server = await startAzurite();
    container = await server.createContainer();
  });
  afterAll(async () => {
    await server?.stop();
  });

  /** Puts a credential where a vault finds it, and gives the variable's name. */
  const variable = (value: string): string => {
    const name = `TEST_AZURE_${(variables += 1)}`;
    process.env[name] = value;
    return name;
  };
  const settings = (credentials: AzureVaultConfig['credentials'], name = container): Settings => ({
    ...azureSettings(server, name),
    credentials,
  });
  /** A shared access signature for a container. */
  const sasFor = (containerName: string, permissions: string, lastsMs = HOUR): string => {
    const credential = new StorageSharedKeyCredential(server.account, server.accountKey);
    const options = { containerName, permissions: ContainerSASPermissions.parse(permissions), expiresOn: new Date(Date.now() + lastsMs) };
    return generateBlobSASQueryParameters(options, credential).toString();
  };
  const withSas = (sas: string, name = container): Settings => settings({ sasEnv: variable(sas) }, name);

  it('is named without credentials', async () => {
    const vault = await open({ ...withSas(sasFor(container, 'rl')), prefix: 'a/b' });
    expect(vault.location).toBe(`azure ${server.endpoint}/${container}/a/b`);
    await vault.close();
  });

  it('that does not exist is missed by every call', async () => {
    const vault = await open(azureSettings(server, 'no-such-container'));
    expect(new Set(await codesOf(allCalls(vault)))).toEqual(new Set(['LB_VAULT_NOT_FOUND']));
    await vault.close();
  });

  it('is unavailable when nobody listens', async () => {
    const vault = await open(azureSettings({ ...server, endpoint: `http://127.0.0.1:1/${server.account}` }, container));
    expect(new Set(await codesOf(allCalls(vault)))).toEqual(new Set(['LB_VAULT_UNAVAILABLE']));
    await vault.close();
  });

  it.each<[string, () => { settings: Settings; secrets: string[] }]>([
    [
      'a wrong key',
      () => {
        const key = Buffer.from('wrong'.repeat(12)).toString('base64');
        return { settings: settings({ accountKeyEnv: variable(key) }), secrets: [key] };
      },
    ],
    [
      'an expired signature',
      () => {
        const sas = sasFor(container, 'rcl', -60_000);
        return { settings: withSas(sas), secrets: [new URLSearchParams(sas).get('sig') ?? '', sas] };
      },
    ],
    [
      'a signature for another container',
      () => {
        const sas = sasFor('other-container', 'rcwdl');
        return { settings: withSas(sas), secrets: [new URLSearchParams(sas).get('sig') ?? '', sas] };
      },
    ],
    [
      'a forged signature',
      () => {
        const sas = sasFor(container, 'rl').replace('sp=rl', 'sp=rcwdl');
        return { settings: withSas(sas), secrets: [new URLSearchParams(sas).get('sig') ?? '', sas] };
      },
    ],
  ])('refuses %s, which no error text shows', async (_, wrong) => {
    const { settings: refused, secrets } = wrong();
    const vault = await open(refused);
    for (const error of await Promise.all(allCalls(vault).map(failure))) {
      expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
      expect(error).toHaveProperty('hint', expect.stringContaining('credentials'));
      for (const secret of secrets) {
        expect(everythingIn(error)).not.toContain(secret);
        expect(everythingIn(error)).not.toContain(encodeURIComponent(secret));
      }
    }
    await vault.close();
  });

  it('can be written to with a signature that allows creating, reading and listing, which overwrites and deletes nothing', async () => {
    const own = await server.createContainer();
    const sas = sasFor(own, 'rcl');
    const writer = await open(withSas(sas, own));
    expect(await writer.put('small', Buffer.from('genuine'))).toBe('created');
    expect(await writer.put('small', Buffer.from('other'))).toBe('exists');
    expect(await writer.put('large', LARGE)).toBe('created');
    expect(await digestOf(writer, 'large')).toBe(digest(LARGE));
    expect(await keysOf(writer)).toEqual(['large', 'small']);
    expect(codeOf(await failure(writer.delete('small')))).toBe('LB_VAULT_ACCESS');
    // What a thief could do with the signature and other software.
    const thief = new BlobServiceClient(`${server.endpoint}?${sas}`).getContainerClient(own).getBlockBlobClient('small');
    await expect(thief.upload('shadow', 6)).rejects.toHaveProperty('statusCode', 403);
    await expect(thief.delete()).rejects.toHaveProperty('statusCode', 403);
    expect(Buffer.from(await read(await writer.get('small'))).toString()).toBe('genuine');
    await writer.close();
  });

  it('can be written to without the right to read, and read without the right to write', async () => {
    const own = await server.createContainer();
    const writer = await open(withSas(sasFor(own, 'c'), own));
    expect(await writer.put('small', someBytes(10))).toBe('created');
    expect(await writer.put('large', LARGE)).toBe('created');
    // Azure says then that it is an overwrite that it refuses, Azurite only that it refuses.
    expect(codeOf(await failure(writer.put('small', someBytes(10))))).toBe('LB_VAULT_ACCESS');
    expect(codeOf(await failure(writer.get('small')))).toBe('LB_VAULT_ACCESS');
    const reader = await open(withSas(sasFor(own, 'rl'), own));
    expect(await digestOf(reader, 'small')).toBe(digest(someBytes(10)));
    const refused = await failure(reader.put('other', someBytes(10)));
    expect(codeOf(refused)).toBe('LB_VAULT_ACCESS');
    expect(refused).toHaveProperty('hint', expect.stringContaining('create'));
    await Promise.all([writer.close(), reader.close()]);
  });

  it('stores nothing of a large object that such a signature sends and whose source fails, hangs or is too short', async () => {
    const own = await server.createContainer();
    const writer = await open(withSas(sasFor(own, 'rcl'), own));
    const reason = new Error('the source broke');
    const broken = inParts(LARGE, 1_000_000, (sent) => {
      if (sent > 30_000_000) throw reason;
    });
    expect(await failure(writer.put('a', broken))).toBe(reason);
    const stop = new AbortController();
    const hanging = inParts(LARGE, 1_000_000, (sent) => {
      if (sent <= 30_000_000) return undefined;
      stop.abort(reason);
      return new Promise<void>(() => {});
    });
    expect(await failure(writer.put('a', hanging, { signal: stop.signal }))).toBe(reason);
    const short = { size: LARGE.length + 1, stream: inParts(LARGE, 1_000_000).stream };
    expect(codeOf(await failure(writer.put('a', short)))).toBe('LB_INTERNAL');
    expect(await keysOf(writer)).toEqual([]);
    expect(await writer.put('a', LARGE)).toBe('created');
    await writer.close();
  });

  it('can be opened by a connection string, with a key or a signature in it', async () => {
    const endpoint = `BlobEndpoint=${server.endpoint}`;
    const texts = [
      `DefaultEndpointsProtocol=http;AccountName=${server.account};AccountKey=${server.accountKey};${endpoint};`,
      `${endpoint};SharedAccessSignature=${sasFor(container, 'rcl')}`,
    ];
    for (const [i, text] of texts.entries()) {
      const vault = await open(settings({ connectionStringEnv: variable(text) }));
      expect(await vault.put(`by/connection-${i}`, someBytes(10))).toBe('created');
      await vault.close();
    }
  });

  it.each<[string, () => AzureVaultConfig['credentials']]>([
    ['a variable that is not set', () => ({ sasEnv: 'NO_SUCH_VARIABLE' })],
    ['a signature that is none', () => ({ sasEnv: variable('hush-no-signature') })],
    ['a key that is none', () => ({ accountKeyEnv: variable('hush') })],
    ['a connection string that is none', () => ({ connectionStringEnv: variable('hush') })],
    ['a connection string of another account', () => ({ connectionStringEnv: variable('DefaultEndpointsProtocol=https;AccountName=other;AccountKey=aHVzaA==;') })],
  ])('is not opened with %s, which is not shown', async (_, credentials) => {
    const error = await failure(open(settings(credentials())));
    expect(codeOf(error)).toBe('LB_VAULT_ACCESS');
    expect(everythingIn(error)).not.toContain('hush');
    expect(everythingIn(error)).not.toContain('aHVzaA==');
  });

  it('says so when no credentials are found anywhere', async () => {
    const before = process.env['AZURE_TOKEN_CREDENTIALS'];
    // Of the usual places only this one, which asks nobody.
    process.env['AZURE_TOKEN_CREDENTIALS'] = 'EnvironmentCredential';
    try {
      const vault = await open(settings(undefined));
      const error = await failure(vault.head('a'));
      expect(['LB_VAULT_ACCESS', 'LB_VAULT_UNSUPPORTED']).toContain(codeOf(error));
      await vault.close();
    } finally {
      if (before === undefined) delete process.env['AZURE_TOKEN_CREDENTIALS'];
      else process.env['AZURE_TOKEN_CREDENTIALS'] = before;
    }
  });
});
