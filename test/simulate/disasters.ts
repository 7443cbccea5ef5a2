import { flipBit } from '../repository/scene.ts';
import { between, happens, some, weighed } from './chance.ts';
import { IMPOSTOR_HEADER } from './keys.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

type Disaster = (store: Store, world: World) => string;

/** What a vault held at some moment. */
const yesterdays = new WeakMap<Store, Map<string, Uint8Array>>();

/** Remembers what the vaults hold now, for one to be rolled back to. */
export function takeSnapshot(stores: readonly Store[]): void {
  for (const store of stores) yesterdays.set(store, new Map(store.objects));
}

/** Does something to some of its objects. */
function someOf(store: Store, { random }: World, harm: (key: string, bytes: Uint8Array) => void): number {
  const keys = store.keys();
  const count = happens(random, 0.1) ? keys.length : between(random, 1, Math.max(1, Math.min(5, keys.length >> 1)));
  const hit = some(random, keys, count);
  for (const key of hit) harm(key, store.objects.get(key) ?? new Uint8Array());
  return hit.length;
}

const rot: Disaster = (store, world) => {
  const hit = someOf(store, world, (key, bytes) => {
    if (bytes.length > 0) store.objects.set(key, flipBit(bytes, between(world.random, 0, bytes.length - 1), between(world.random, 0, 7)));
  });
  return `${hit} objects rotted`;
};

const cut: Disaster = (store, world) => {
  const hit = someOf(store, world, (key, bytes) => store.objects.set(key, bytes.slice(0, between(world.random, 0, Math.max(0, bytes.length - 1)))));
  return `${hit} objects were cut short`;
};

const loss: Disaster = (store, world) => `${someOf(store, world, (key) => store.objects.delete(key))} objects were lost`;

const wipe: Disaster = (store) => {
  for (const key of store.keys()) store.takeAway(key);
  return 'lost everything';
};

const rollBack: Disaster = (store) => {
  const then = yesterdays.get(store) ?? new Map<string, Uint8Array>();
  const lost = store.keys().filter((key) => !then.has(key)).length;
  const back = [...then.keys()].filter((key) => !store.objects.has(key)).length;
  store.objects.clear();
  for (const [key, bytes] of then) store.objects.set(key, bytes);
  return `was rolled back: lost ${lost} objects, and has ${back} again`;
};

const usurp: Disaster = (store) => {
  store.objects.set('lifeboat.json', IMPOSTOR_HEADER);
  return 'was replaced by another repository';
};

/** What somebody does who may write anything there: objects change places, and new ones are put beside them. */
const forge: Disaster = (store, world) => {
  const { random } = world;
  const points = store.keys('points/').filter((key) => !key.endsWith('.removed'));
  const hit = someOf(store, world, (key) => {
    const folder = key.slice(0, key.indexOf('/') + 1);
    const other = random.pick(store.keys(folder));
    const bytes = store.objects.get(other);
    if (bytes !== undefined) store.objects.set(key, bytes);
  });
  for (const key of some(random, points, 2)) {
    const bytes = store.objects.get(key) ?? new Uint8Array();
    store.objects.set(`${key.slice(0, -8)}${between(random, 0x10000000, 0x7fffffff).toString(16)}`, bytes);
    store.objects.set(`${key}.removed`, Buffer.from('{"format":"lifeboat-point-removed","version":1}\n{"signature":"00"}\n'));
  }
  return `${hit} objects were replaced by others, and points and removals forged`;
};

/** Hurts the vault for good. */
export function strike(store: Store, world: World): void {
  const disaster = weighed<Disaster>(world.random, [[4, rot], [3, cut], [4, loss], [1, wipe], [3, rollBack], [1, usurp], [3, forge]]);
  world.tell(`disaster: vault ${store.name} ${disaster(store, world)}`);
}
