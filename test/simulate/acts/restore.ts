import { pointSource } from '../../../src/pipeline/sources.ts';
import { streamKey } from '../../../src/pipeline/manifest.ts';
import { openReader, unlock } from '../../../src/repository/index.ts';
import { pointKey } from '../../../src/repository/layout.ts';
import { pointNameOf } from '../../../src/repository/vault-contents.ts';
import { readKeyOf } from '../../../src/keys/index.ts';
import { IDENTITY, KEYS } from '../keys.ts';
import type { KnownPoint } from '../ledger.ts';
import type { SimulatedSite } from '../site.ts';
import type { Store } from '../store.ts';
import type { World } from '../world.ts';
import { happens, some } from '../chance.ts';
import type { Act } from './act.ts';

const readKey = readKeyOf(KEYS);

/**
 * Reads all of a point, the newest or this one, and compares it with what the site held: it is the same to the last byte, or an
 * error says that it is not. From `stores`, or from all.
 */
export function restoreOf(site: SimulatedSite, wanted?: KnownPoint, stores?: readonly Store[]): Act {
  return {
    name: 'restore',
    async run(world, program) {
      const { ledger } = world;
      const from = stores ?? some(world.random, world.stores, world.stores.length);
      const reliable = from.filter(({ suspect, mood }) => !suspect && mood.answers);
      const readable = (point: KnownPoint): boolean => !point.removed && reliable.some((store) => ledger.holds(store, point));
      const newest = ledger.live().filter((point) => point.site === site.name && readable(point)).map(({ id }) => id).toSorted().at(-1);
      // A newer one that no vault has intact stops who asks for the newest: an older one is not given for it.
      const newer = from.flatMap((store) => store.keys(`points/${site.name}/`)).some((key) => (pointNameOf(key)?.id ?? '') > (newest ?? ''));
      const must = wanted === undefined ? newest !== undefined && !newer : readable(wanted);
      const about = wanted?.id ?? 'the newest';
      try {
        const vaults = world.vaults(program, { stores: from });
        // One that lies may make the vaults look as if they held different repositories.
        const unlocks = happens(world.random, 0.2) && !from.some(({ suspect }) => suspect);
        const keys = unlocks ? (await unlock(vaults, { identities: [IDENTITY] }, { onWarning: world.warn })).keys : readKey;
        const reader = await openReader({ vaults, keys, onWarning: world.warn });
        const point = await reader.open(wanted?.id ?? 'latest', { site: site.name });
        const { id } = point.header;
        if (wanted === undefined && newest !== undefined && id < newest) ledger.violations.push(`point ${id} was restored for the newest, which is ${newest}`);
        const source = pointSource(point);
        const { revision } = source.summary;
        const known = ledger.points.get(pointKey(site.name, id));
        if (known?.revision !== undefined && known.revision !== revision) ledger.violations.push(`point ${id} shows revision ${revision} instead of ${known.revision}`);
        const contents = site.revisions.get(revision);
        if (contents === undefined) throw new Error(`revision ${revision} never was`);
        for (const type of source.summary.types) {
          const objects = contents.get(streamKey(type)) ?? [];
          let at = 0;
          for await (const object of source.objects(type)) {
            if (objects[at]?.equals(object) !== true) ledger.violations.push(`point ${id}: object ${at} of ${streamKey(type)} is another than was stored`);
            at++;
          }
          if (at !== objects.length) ledger.violations.push(`point ${id}: ${at} of ${objects.length} objects of ${streamKey(type)} were restored`);
        }
        await reader.close();
        return `${id}, revision ${revision}`;
      } catch (error) {
        // What was taken away meanwhile need not be there.
        if (must && wanted?.removed !== true) ledger.violations.push(`restoring ${about} point failed, though ${reliable.map(({ name }) => name).join()} has it: ${String(error)}`);
        throw error;
      }
    },
  };
}

/** The newest point, or any. */
export function anyRestore(world: World): Act {
  const site = world.random.pick(world.sites);
  const points = world.ledger.live().filter((point) => point.site === site.name);
  const wanted = points.length > 0 && happens(world.random, 0.6) ? world.random.pick(points) : undefined;
  return restoreOf(site, wanted);
}
