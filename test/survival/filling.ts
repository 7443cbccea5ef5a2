import { randomBytes } from 'node:crypto';
import type { ApiClient, Manifest } from '../testbed/kubernetes/api.ts';
import { customType } from '../site/custom-type.ts';
import type { Random } from './random.ts';

const SMALL = 160;
const LARGE = 2;
const SECRETS = 60;
const THINGS = 60;

/** Contents that no compression makes small, so that a backup has something to write. */
const noise = (bytes: number): string => randomBytes((bytes / 4) * 3).toString('base64');

const small = (n: number): Manifest => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `small-${n}`, namespace: 'full' }, data: { text: noise(2_000) } });
/** Longer than a chunk may be. */
const large = (n: number): Manifest => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `large-${n}`, namespace: 'full' }, data: { text: noise(400_000) } });
const secret = (n: number): Manifest => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: `secret-${n}`, namespace: 'full' }, stringData: { token: noise(400) } });
const thing = (n: number): Manifest => ({ apiVersion: 'full.example/v1', kind: 'Thing', metadata: { name: `thing-${n}`, namespace: 'full' }, data: { text: noise(1_000) } });

const each = (count: number, make: (n: number) => Manifest): Manifest[] => Array.from({ length: count }, (_, n) => make(n));

/** Some hundred objects of every size, of built-in types and of one that is defined for them: about 1.5 MB. */
export async function fillPlain(api: ApiClient): Promise<void> {
  await api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'full' } }, customType('full.example', 'things', [{ name: 'v1', served: true, storage: true }])]);
  await api.createMany([...each(LARGE, large), ...each(SMALL, small), ...each(SECRETS, secret), ...each(THINGS, thing)]);
}

/** Replaces some of them, deletes one and makes a new one: what the next backup has to store. */
export async function rewriteSome(api: ApiClient, random: Random): Promise<void> {
  const any = (count: number): number => Math.floor(random.next() * count);
  const changed = [large(any(LARGE)), ...each(12, () => small(any(SMALL))), ...each(3, () => thing(any(THINGS)))];
  await Promise.all(changed.map(async (object) => api.patch(await api.pathOf(object), { data: object['data'] })));
  const replaced = secret(any(SECRETS));
  await api.delete(await api.pathOf(replaced));
  await api.create(replaced);
}
