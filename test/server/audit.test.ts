import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { generateAuditKey } from '../../src/keys/index.ts';
import type { AuditKey } from '../../src/keys/index.ts';
import { batchKey, decodeBatch, encodeBatch, partsOfKey } from '../../src/server/audit/batch.ts';
import { readTrail } from '../../src/server/audit/read.ts';
import { encodeRecord, recordHash } from '../../src/server/audit/record.ts';
import type { AuditEntry } from '../../src/server/audit/record.ts';
import { openTrail } from '../../src/server/audit/trail.ts';
import type { AuditTrail, TrailOptions } from '../../src/server/audit/trail.ts';
import { verifyTrail } from '../../src/server/audit/verify.ts';
import { MemoryVault } from '../support/memory-vault.ts';

const entry = (subject: string): AuditEntry => ({
  who: { kind: 'token', subject, issuer: 'https://id.example.net', role: 'operator' },
  from: '192.0.2.7',
  what: { method: 'POST', route: '/v1/restores', ids: { plan: 'prod' } },
  outcome: 'begun',
});

const open = (key: AuditKey, vaults: readonly MemoryVault[], more: Partial<TrailOptions> = {}): Promise<AuditTrail> =>
  openTrail({ vaults, key, clock: systemClock, warn: () => undefined, ...more });

/** A trail of two chains with five objects, ten records. */
async function written(vaults: readonly MemoryVault[]): Promise<AuditKey> {
  const key = generateAuditKey();
  for (const objects of [3, 2]) {
    const trail = await open(key, vaults);
    for (let i = 0; i < objects; i++) {
      trail.add(entry('ada'));
      trail.add(entry('ben'));
      await trail.flush();
    }
    await trail.close();
  }
  return key;
}

const kindsOf = async (vaults: readonly MemoryVault[], ...keys: readonly AuditKey[]): Promise<readonly string[]> =>
  [...new Set((await verifyTrail(vaults, { keys })).findings.map(({ kind }) => kind))].sort();

/** The objects of a trail in the order they were written. */
function inOrder(vault: MemoryVault, key: AuditKey): readonly { readonly key: string; readonly chain: string; readonly batch: number }[] {
  return [...vault.objects]
    .map(([name, bytes]) => {
      const { head } = decodeBatch(partsOfKey(name)?.id ?? '', bytes, key);
      return { key: name, chain: head.chain, batch: head.batch };
    })
    .toSorted((a, b) => a.batch - b.batch);
}

describe('the audit trail', () => {
  it('is whole in every vault, and says who asked for what', async () => {
    const vaults = [new MemoryVault('near'), new MemoryVault('far')];
    const key = await written(vaults);
    const report = await verifyTrail(vaults, { keys: [key] });
    expect(report).toMatchObject({ ok: true, findings: [], servers: [{ server: key.server, chains: 2, objects: 5, records: 10 }] });
    const stored = await Array.fromAsync(readTrail(vaults, { keys: [key] }));
    expect(stored.flatMap(({ batch }) => batch?.records.map(({ who }) => who.subject) ?? [])).toHaveLength(10);
  });

  it('shows an object that was edited, in the vault where it was', async () => {
    const vaults = [new MemoryVault('near'), new MemoryVault('far')] as const;
    const key = await written(vaults);
    const [name, bytes] = [...vaults[1].objects][2] ?? ['', Buffer.alloc(0)];
    vaults[1].objects.set(name, Buffer.from(Buffer.from(bytes).toString('utf8').replace('"ada"', '"eve"')));
    const { findings } = await verifyTrail(vaults, { keys: [key] });
    expect(findings).toEqual([expect.objectContaining({ kind: 'damaged', vault: 'far', object: name })]);
    // Under the name that fits the new bytes, the signature does not.
    const edited = vaults[1].objects.get(name) ?? Buffer.alloc(0);
    expect(() => decodeBatch(`${name.split('/')[2]?.slice(0, 17) ?? ''}${recordHash(Buffer.from(edited).toString('utf8'))}`, edited, key)).toThrow(
      expect.objectContaining({ code: 'LB_REPO_DAMAGED' }),
    );
  });

  it('shows what was removed: from one vault, from the middle of a chain, and from its end when another chain followed', async () => {
    const vault = new MemoryVault('near');
    const key = await written([vault]);
    const names = inOrder(vault, key);
    const first = names.find(({ batch }) => batch === 2)?.chain;
    const whole = new MemoryVault('far', vault.objects);
    for (const [batch, chain, expected] of [
      [1, first, ['missing']],
      [2, first, ['missing']],
      [0, first, ['missing']],
    ] as const) {
      const robbed = vault.copy('near');
      robbed.objects.delete(names.find((one) => one.chain === chain && one.batch === batch)?.key ?? '');
      expect(robbed.objects.size).toBe(4);
      expect(await kindsOf([robbed], key)).toEqual(expected);
      expect(await kindsOf([robbed, whole], key)).toEqual(['absent']);
    }
  });

  it('shows objects that were given another time or another server, and records in another order', async () => {
    const vault = new MemoryVault('near');
    const key = await written([vault]);
    const [name = '', bytes = Buffer.alloc(0)] = [...vault.objects][0] ?? [];
    const moved = vault.copy('near');
    moved.objects.delete(name);
    moved.objects.set(name.replace(/\d{8}T\d{6}Z/, '20200101T000000Z'), bytes);
    expect(await kindsOf([moved], key)).toContain('forged');

    const other = generateAuditKey();
    const carried = vault.copy('near');
    carried.objects.set(batchKey(other.server, name.split('/')[2] ?? ''), bytes);
    expect(await kindsOf([carried], key, other)).toEqual(['forged']);
    expect(await kindsOf([carried], key)).toEqual(['unknown-server']);

    // Signed by whoever has the key, and still noticed.
    const swapped = new MemoryVault('near');
    const lines = [1, 0].map((seq) => encodeRecord({ ...entry('ada'), seq, previous: '0'.repeat(64), at: '2026-01-01T00:00:00.000Z' }));
    const forged = encodeBatch({ chain: 'c'.repeat(16), batch: 0, at: '2026-01-01T00:00:00.000Z', previous: [], first: 0 }, lines, key);
    swapped.objects.set(forged.key, forged.bytes);
    expect(await kindsOf([swapped], key)).toEqual(['order']);
  });

  it('shows what was signed with another key, and a second object in one place', async () => {
    const vault = new MemoryVault('near');
    const key = await written([vault]);
    const thief = generateAuditKey();
    const last = inOrder(vault, key).at(-1);
    const about = { chain: last?.chain ?? '', batch: 3, at: new Date().toISOString(), previous: [last?.key.slice(-64) ?? ''], first: 6 };
    const line = encodeRecord({ ...entry('eve'), seq: 6, previous: '0'.repeat(64), at: new Date().toISOString() });
    const forged = encodeBatch(about, [line], { ...thief, server: key.server });
    const robbed = vault.copy('near');
    robbed.objects.set(forged.key, forged.bytes);
    expect(await kindsOf([robbed], key)).toEqual(['forged']);

    const forked = vault.copy('near');
    const second = encodeBatch({ ...about, batch: 0, previous: [], first: 0 }, [encodeRecord({ ...entry('eve'), seq: 0, previous: '0'.repeat(64), at: new Date().toISOString() })], key);
    forked.objects.set(second.key, second.bytes);
    expect(await kindsOf([forked], key)).toContain('fork');
  });

  it('is written to the vaults that answer, brings the others level later, and fails when none answers', async () => {
    const vaults = [new MemoryVault('near'), new MemoryVault('far')] as const;
    const key = generateAuditKey();
    const warned: string[] = [];
    const trail = await open(key, vaults, { warn: ({ where = '' }) => warned.push(where) });
    const away = (): never => {
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'It is away');
    };
    vaults[1].interfere = away;
    trail.add(entry('ada'));
    await trail.flush();
    expect([vaults[0].objects.size, vaults[1].objects.size]).toEqual([1, 0]);
    vaults[0].interfere = away;
    trail.add(entry('ben'));
    await expect(trail.flush()).rejects.toThrow(expect.objectContaining({ code: 'LB_AUDIT_UNAVAILABLE' }));
    for (const vault of vaults) vault.interfere = undefined;
    trail.add(entry('cy'));
    await trail.flush();
    await trail.close();
    expect(new Set(warned)).toEqual(new Set(['vault "near"', 'vault "far"']));
    expect(await verifyTrail(vaults, { keys: [key] })).toMatchObject({ ok: true, servers: [{ objects: 3, records: 3 }] });
  });

  it('makes one object of records that wait at the same time', async () => {
    const vault = new MemoryVault('near');
    const trail = await open(generateAuditKey(), [vault]);
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        trail.add(entry(`who-${index}`));
        await trail.flush();
      }),
    );
    await trail.close();
    expect(vault.objects.size).toBeLessThan(5);
  });

  it('counts refusals instead of keeping each, when they are too many', async () => {
    const vault = new MemoryVault('near');
    const key = generateAuditKey();
    const trail = await open(key, [vault]);
    for (let i = 0; i < 5000; i++) trail.add({ ...entry('x'), who: { kind: 'nobody' }, outcome: 'refused', status: 401 });
    trail.add(entry('ada'));
    await trail.close();
    const records = (await Array.fromAsync(readTrail([vault], { keys: [key] }))).flatMap(({ batch }) => batch?.records ?? []);
    expect(records).toHaveLength(301);
    expect(records.find(({ who }) => who.subject === 'ada')?.unrecorded).toBe(4700);
  });

  it('has two chains when two servers write with one key, and both are whole', async () => {
    const vault = new MemoryVault('near');
    const key = generateAuditKey();
    const trails = [await open(key, [vault]), await open(key, [vault])];
    for (let i = 0; i < 3; i++) {
      for (const trail of trails) {
        trail.add(entry('ada'));
        await trail.flush();
      }
    }
    await Promise.all(trails.map((trail) => trail.close()));
    expect(await verifyTrail([vault], { keys: [key] })).toMatchObject({ ok: true, servers: [{ chains: 2, objects: 6 }] });
  });
});
