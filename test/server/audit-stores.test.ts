import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { generateAuditKey } from '../../src/keys/index.ts';
import { openTrail } from '../../src/server/audit/trail.ts';
import { verifyTrail } from '../../src/server/audit/verify.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { bucketForRoles, credentialsOf, ROLE_SERVERS } from '../vault/role-servers.ts';
import { s3Settings } from '../vault/s3-settings.ts';
import type { VaultRole } from '../vault/policies.ts';

describe.each(ROLE_SERVERS)('the audit trail on %s', (_, start) => {
  it('is written by somebody who can only add, locked, and found whole by somebody who can only read', async () => {
    const roles = await start();
    await using server = roles.server;
    const bucket = await bucketForRoles(roles, 'lifeboat');
    const open = (role: VaultRole): Promise<Vault> => openVault({ ...s3Settings({ endpoint: server.endpoint, credentials: credentialsOf(roles, role) }, bucket, { prefix: 'lifeboat', lock: true }), name: role });
    const [writer, reader] = await Promise.all([open('writer'), open('reader')]);
    try {
      const key = generateAuditKey();
      for (let run = 0; run < 2; run++) {
        const trail = await openTrail({ vaults: [writer], key, clock: systemClock, lock: 3_600_000, warn: ({ message }) => expect.unreachable(message) });
        for (let i = 0; i < 3; i++) {
          trail.add({ who: { kind: 'token', subject: 'ada', issuer: 'https://id.example.net', role: 'admin' }, from: '192.0.2.7', what: { method: 'POST', route: '/v1/restores', ids: {} }, outcome: 'begun' });
          await trail.flush();
        }
        await trail.close();
      }
      expect(await verifyTrail([reader], { keys: [key] })).toMatchObject({ ok: true, servers: [{ chains: 2, objects: 6, records: 6 }] });
      const [object] = await Array.fromAsync(writer.list('audit/'));
      const name = object?.key ?? '';
      expect((await reader.head(name))?.retainUntil?.getTime()).toBeGreaterThan(systemClock.now());
      expect(await writer.put(name, Buffer.from('{}'))).toBe('exists');
      await expect(writer.delete(name)).rejects.toThrow(expect.objectContaining({ code: 'LB_VAULT_LOCKED' }));
      expect(await verifyTrail([reader], { keys: [key] })).toMatchObject({ ok: true });
    } finally {
      await Promise.all([writer.close(), reader.close()]);
    }
  });
});
