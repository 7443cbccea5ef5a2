import { describe, expect, it } from 'vitest';
import { replicate } from '../../src/functions/handlers/replicate.ts';
import type { CreatedObject, ObjectsTrigger } from '../../src/functions/trigger.ts';
import { testSurroundings } from './surroundings.ts';

const POINT = '20261126T140003Z-07b1c2d3';

function appeared(...objects: CreatedObject[]): ObjectsTrigger {
  return { trigger: 'objects', id: 'event-1', at: Date.parse('2026-11-26T14:00:05Z'), detail: { objects } };
}

const near = (key: string): CreatedObject => ({ store: 's3', bucket: 'acme-backups', key: `lifeboat/shop/${key}` });

describe('a recovery point that appears in a vault', () => {
  it('leads to one replication for each plan of its site that keeps points there', async () => {
    const surroundings = await testSurroundings();
    const outcome = await replicate(appeared(near(`points/shop/${POINT}`)), surroundings);
    expect(outcome.new).toEqual([expect.stringMatching(/^replicate\.shop\.e[0-9a-f]{32}$/)]);
    expect(await surroundings.queue.jobs()).toMatchObject([{ kind: 'replicate', plan: 'shop', requestedBy: 'event' }]);
  });

  it('leads to no second one when it appears in the other vaults', async () => {
    const surroundings = await testSurroundings();
    await replicate(appeared(near(`points/shop/${POINT}`)), surroundings);
    const elsewhere = await replicate(appeared({ store: 'gcs', bucket: 'acme-other-cloud', key: `points/shop/${POINT}` }), surroundings);
    expect(elsewhere).toMatchObject({ new: [], known: [expect.any(String)] });
    const another = await replicate(appeared({ store: 's3', bucket: 'acme-far', key: `points/shop/20261126T141503Z-1f0a1b2c` }), surroundings);
    // The plan `archive` keeps its points in that vault alone: there is nothing to bring level.
    expect(another.new).toHaveLength(1);
  });

  it.each([
    ['a tombstone', near(`points/shop/${POINT}.removed`)],
    ['another object of the vault', near('packs/ab/abcdef')],
    ['a point of another site', near(`points/other/${POINT}`)],
    ['something beside the vault', { store: 's3', bucket: 'acme-backups', key: `points/shop/${POINT}` } as const],
    ['another bucket', { store: 's3', bucket: 'elsewhere', key: `lifeboat/shop/points/shop/${POINT}` } as const],
    ['a bucket of that name in another cloud', { store: 'gcs', bucket: 'acme-backups', key: `lifeboat/shop/points/shop/${POINT}` } as const],
    ['something below a point', near(`points/shop/${POINT}/x`)],
  ])('is not %s', async (_what, object) => {
    const surroundings = await testSurroundings();
    expect(await replicate(appeared(object), surroundings)).toMatchObject({ new: [], ignored: expect.any(String) as string });
    expect(await surroundings.queue.jobs()).toEqual([]);
  });
});
