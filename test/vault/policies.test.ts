import { describe, expect, it } from 'vitest';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { openOtherSoftware, openVault } from '../../src/vault/open.ts';
import { probeVault } from '../../src/vault/probe.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { codeOf, failure } from './bytes.ts';
import { readS3Policy, readVaultFile, VAULT_ROLES } from './policies.ts';
import type { VaultRole } from './policies.ts';
import { bucketForRoles, credentialsOf, ROLE_SERVERS } from './role-servers.ts';
import { s3Settings } from './s3-settings.ts';
import { beforeLockEnds } from './short-lock.ts';

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/';
const LOCKS = `${BLOBS}immutableStorage/runAsSuperUser/action`;
const gcsRole = z.strictObject({ title: z.string(), description: z.string(), stage: z.literal('GA'), includedPermissions: z.array(z.string().regex(/^storage\.objects\.[A-Za-z]+$/)) });
const azureRole = z.strictObject({
  Name: z.string(),
  IsCustom: z.literal(true),
  Description: z.string(),
  Actions: z.array(z.string()).max(0),
  NotActions: z.array(z.string()).max(0),
  DataActions: z.array(z.string()),
  NotDataActions: z.array(z.string()),
  AssignableScopes: z.array(z.string().startsWith('/subscriptions/SUBSCRIPTION/')).length(1),
});

/** What a published file for a role grants. */
async function granted(store: 's3' | 'gcs' | 'azure', role: VaultRole): Promise<Set<string>> {
  if (store === 'gcs') return new Set(gcsRole.parse(parse(await readVaultFile(`gcs/${role}.yaml`))).includedPermissions);
  if (store === 'azure') return new Set(azureRole.parse(JSON.parse(await readVaultFile(`azure/${role}.json`))).DataActions);
  const { Statement } = await readS3Policy(role);
  return new Set(Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action));
}

const DELETING = ['s3:DeleteObject', 's3:DeleteObjectVersion', 'storage.objects.delete', `${BLOBS}delete`, `${BLOBS}deleteBlobVersion/action`];
/** What ends locks, or overwrites. */
const NOBODYS = ['s3:BypassGovernanceRetention', 's3:*', 'storage.objects.overrideUnlockedRetention', `${BLOBS}write`, `${BLOBS}permanentDelete/action`];

describe.each(['s3', 'gcs', 'azure'] as const)('the published rights for %s', (store) => {
  it('let nobody overwrite or end a lock, and the maintainer alone delete', async () => {
    for (const role of VAULT_ROLES) {
      const rights = await granted(store, role);
      expect([role, NOBODYS.filter((right) => rights.has(right))]).toEqual([role, []]);
      expect([role, DELETING.some((right) => rights.has(right))]).toEqual([role, role === 'maintainer']);
    }
  });

  it('are those that docs/vaults.md lists', async () => {
    const docs = await readFile(new URL('../../docs/vaults.md', import.meta.url), 'utf8');
    const section = docs.slice(docs.indexOf(`<!-- rights ${store} -->`), docs.indexOf(`<!-- end rights ${store} -->`));
    for (const role of VAULT_ROLES) {
      const row = section.split('\n').find((line) => line.startsWith(`| ${role} |`)) ?? '';
      const listed = [...row.matchAll(/`([^`]+)`/g)].map(([, right = '']) => (store === 'azure' ? BLOBS + right : right));
      expect([role, listed.toSorted()]).toEqual([role, [...(await granted(store, role))].toSorted()]);
    }
  });
});

describe('the published rights for Azure', () => {
  it('let who stores lock, and who reads not', async () => {
    expect([...(await granted('azure', 'writer'))]).toContain(LOCKS);
    expect([...(await granted('azure', 'reader'))]).not.toContain(LOCKS);
  });
});

describe.each(ROLE_SERVERS)('the published policies for S3, on %s', (_, start) => {
  it('suffice for each role, and for nothing more', { timeout: 300_000 }, async () => {
    const roles = await start();
    await using server = roles.server;
    const bucket = await bucketForRoles(roles, 'team');
    const settingsOf = (role: VaultRole) => s3Settings({ endpoint: server.endpoint, credentials: credentialsOf(roles, role) }, bucket, { prefix: 'team', lock: true });
    const open = (role: VaultRole): Promise<Vault> => openVault({ ...settingsOf(role), name: role });
    const [writer, reader, maintainer] = await Promise.all(VAULT_ROLES.map(open));
    if (writer === undefined || reader === undefined || maintainer === undefined) throw new Error('a vault is missing');
    const soon = new Date(Date.now() + 3_600_000);

    expect(await writer.put('points/a', Buffer.from('a'), { retainUntil: soon })).toBe('created');
    expect(await writer.put('packs/free', Buffer.from('b'))).toBe('created');
    await beforeLockEnds((until) => writer.retain('packs/free', until));
    for (const vault of [writer, reader, maintainer]) {
      expect((await Array.fromAsync(vault.list('', { original: true }))).map(({ key }) => key)).toEqual(['packs/free', 'points/a']);
      expect((await vault.head('points/a', { original: true }))?.retainUntil?.getTime()).toBeGreaterThan(Date.now());
      // A missing object is told from one that may not be seen.
      expect(codeOf(await failure(vault.get('none')))).toBe('LB_VAULT_OBJECT_MISSING');
    }
    expect(await reader.put('reports/verify/a', Buffer.from('r'))).toBe('created');
    expect(codeOf(await failure(reader.put('points/b', Buffer.from('b'))))).toBe('LB_VAULT_ACCESS');
    expect(codeOf(await failure(reader.retain('points/a', new Date(Date.now() + 9_000_000))))).toBe('LB_VAULT_ACCESS');
    for (const vault of [writer, reader]) {
      for (const key of ['packs/free', 'reports/verify/a', 'points/a']) expect(['LB_VAULT_ACCESS', 'LB_VAULT_LOCKED']).toContain(codeOf(await failure(vault.delete(key))));
    }
    await maintainer.retain('points/a', new Date(Date.now() + 7_200_000));
    expect(codeOf(await failure(maintainer.delete('points/a')))).toBe('LB_VAULT_LOCKED');
    await maintainer.delete('reports/verify/a');
    await expect.poll(() => maintainer.delete('packs/free').then(() => 'deleted', codeOf), { timeout: 120_000, interval: 500 }).toBe('deleted');
    for (const vault of [writer, reader, maintainer]) await vault.close();

    // What doctor says to a machine with such credentials: all well.
    const config = { ...settingsOf('writer'), name: 'writer' };
    const vault = await openVault(config);
    const other = await openOtherSoftware(config);
    const checks = await probeVault(vault, { other, role: 'write' });
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.find(({ name }) => name === 'delete')?.detail).toContain('as is right for a writer');
    await other?.close();
    await vault.close();
  });
});
