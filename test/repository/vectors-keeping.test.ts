import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseMaintainKey, parseReadKey } from '../../src/keys/index.ts';
import { lastVerified, openReader, sweep, unlock, verify } from '../../src/repository/index.ts';
import { readPointTombstone } from '../../src/repository/removal/live-points.ts';
import { decodePointTombstone } from '../../src/repository/removal/tombstone.ts';
import { checkTombstone } from '../../src/repository/slot-objects.ts';
import { decodeLease } from '../../src/repository/sweep/lease-object.ts';
import { checkDone, decodeMark, decodeSeen } from '../../src/repository/sweep/mark.ts';
import { readMarks } from '../../src/repository/sweep/marks.ts';
import { decodeReport } from '../../src/repository/verify/coverage-report.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { runRescue } from './rescue.ts';
import { testClock } from './scene.ts';
import { computeKeeping, made, ROLE_KEYS } from './vectors/units.ts';

const HERE = fileURLToPath(new URL('vectors/keeping/', import.meta.url));
const RESCUE = fileURLToPath(new URL('../../src/repository/rescue/lifeboat-rescue.mjs', import.meta.url));
const DAY = 24 * 3_600_000;

const removal = z.object({ id: z.string(), reason: z.string() });
const expected = z
  .object({
    repository: z.string(),
    readKey: z.string(),
    maintainKey: z.string(),
    passphrase: z.string(),
    live: z.array(z.string()),
    removed: removal,
    swept: removal,
    marked: z.object({ at: z.string(), newly: z.array(z.string()), waiting: z.int() }),
    verified: z.object({ last: z.string() }),
    lease: z.object({ takenAt: z.string(), expiresAt: z.string() }),
  })
  .parse(JSON.parse(readFileSync(join(HERE, 'expected.json'), 'utf8')));
const units = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(join(HERE, 'units.json'), 'utf8')));

describe('what keeps vaults in order, of fixed inputs', () => {
  it.each(Object.entries(computeKeeping()))('is what it always was: %s', (name, value) => {
    expect(value).toBe(units[name]);
  });

  it('is read as it was meant', () => {
    const keys = parseMaintainKey(ROLE_KEYS.maintainKey);
    const bytes = (name: string): Buffer => Buffer.from(units[name] ?? '');
    const [point, name] = [{ site: 'harbour', id: '20260307T021500Z-00000abc' }, units['markName'] ?? ''];
    expect(decodePointTombstone(bytes('pointTombstone'), point, keys)).toMatchObject({ ...point, reason: 'retention', removedAt: '2026-03-14T02:15:00.000Z', previous: [{ id: '20260306T021500Z-00000def' }] });
    expect(() => checkTombstone(bytes('slotTombstone'), made('slot', 32).toString('hex'), keys)).not.toThrow();
    expect(decodeMark(bytes('mark'), name, keys)).toMatchObject({ name, markedAt: Date.parse('2026-03-14T02:15:00.000Z'), objects: [expect.stringMatching(/^packs\//), expect.stringMatching(/^index\//)] });
    expect(decodeSeen(bytes('markSeen'), name, keys)).toBe(Date.parse('2026-03-14T02:15:01.000Z'));
    expect(() => checkDone(bytes('markDone'), name, keys)).not.toThrow();
    expect(decodeLease(bytes('lease'), 'leases/sweep-0000000007', keys)).toMatchObject({ generation: 7, expiresAt: Date.parse('2026-03-14T02:45:00.000Z') });
    const report = decodeReport(Buffer.from(units['report'] ?? '', 'hex'), new MemoryVault('far'), keys);
    expect(report).toMatchObject({ vault: 'far', full: '2026-03-13T02:15:00.000Z', read: { objects: 1, bytes: 4096 } });
    expect(report.coverage.size).toBe(2);
  });
});

describe('a vault with removed points, marks, a lease and reports, written when these were settled', () => {
  let vault: MemoryVault;
  const maintain = parseMaintainKey(expected.maintainKey);
  beforeEach(() => {
    const folder = join(HERE, 'vault');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    vault = new MemoryVault('keeping', files.map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(folder.length + 1), readFileSync(path)] as const));
  });

  it('shows the points that were not removed, and nothing wrong', async () => {
    const { keys } = await unlock([vault], { passphrases: [expected.passphrase] });
    expect(keys.repositoryId).toBe(expected.repository);
    const reader = await openReader({ vaults: [vault] });
    expect((await reader.listPoints()).map(({ id }) => id)).toEqual(expected.live);
    expect(await verify({ vaults: [vault], keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: expected.marked.waiting + 1 });
    const options = ['--vault', join(HERE, 'vault')];
    expect(await runRescue(RESCUE, HERE, ['verify', ...options])).toMatchObject({ code: 0, stdout: expect.stringContaining('2 points read, 0 of them bad') as string });
  });

  it('says why points are gone', async () => {
    for (const { id, reason } of [expected.removed, expected.swept]) {
      expect(await readPointTombstone([vault], { site: 'harbour', id }, maintain, {})).toMatchObject({ id, reason });
    }
    expect(vault.objects.has(`points/harbour/${expected.removed.id}`)).toBe(true);
    expect(vault.objects.has(`points/harbour/${expected.swept.id}`)).toBe(false);
  });

  it('says what the sweep is about to delete, and since when', async () => {
    const { pending, spent } = await readMarks(vault, maintain, {});
    expect(spent).toEqual([]);
    expect(pending).toMatchObject([{ seenAt: Date.parse(expected.marked.at), objects: expected.marked.newly }]);
    const clock = testClock(Date.parse(expected.marked.at));
    const read = parseReadKey(expected.readKey);
    expect(await lastVerified(vault, read, { clock })).toMatchObject(expected.verified);
  });

  it('is busy until the lease ends, and is swept then: what was marked two days ago, and the point that was removed', async () => {
    const clock = testClock(Date.parse(expected.lease.expiresAt) - 1);
    await expect(sweep({ vaults: [vault], key: maintain, clock })).rejects.toMatchObject({ code: 'LB_REPO_BUSY' });
    const before = new Set(vault.objects.keys());
    clock.advance(2 * DAY);
    expect(await sweep({ vaults: [vault], key: maintain, clock })).toMatchObject({ vaults: [{ deleted: expected.marked.newly.length + 1, failed: [] }] });
    const gone = [...before].filter((key) => !vault.objects.has(key) && !/^(?:marks|leases)\//.test(key));
    expect(gone.sort()).toEqual([...expected.marked.newly, `points/harbour/${expected.removed.id}`].sort());
    expect((await verify({ vaults: [vault], depth: 'data' })).findings).toEqual([]);
  });
});
