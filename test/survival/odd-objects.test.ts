import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/pipeline/backup.ts';
import { differencesTo, namespace, openPlace, restoreInto, troubles } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { customType } from '../site/custom-type.ts';
import { makeStore, stateIn } from './store.ts';

/** JSON as it is sent, by the name of the object it is put into. What JavaScript would write differently is written out. */
const DATA = {
  numbers: '{"large":9007199254740993,"largest":9223372036854775807,"larger":18446744073709551615,"huge":1e300,"tiny":5e-324,"small":1e-7,"float":0.1,"whole":1.0,"zero":-0.0,"list":[1.0,9007199254740993,[12345678901234567]]}',
  texts: JSON.stringify({ '': 'the empty key', ' ': '\u0000\u001F\u007F\u2028\uFEFF', 'a.b/c d': '"\\', null: null, ship: '🚢', deep: [[[[{}]]]] }),
  unpaired: String.raw`{"half":"\ud800 \udfff"}`,
  names: '{"__proto__":{"x":1},"constructor":1,"toJSON":"x","rawJSON":"1"}',
  // etcd takes 1.5 MiB: there is room for little else.
  large: JSON.stringify({ text: 'é'.repeat(786_000) }),
} as const;
const THINGS = '/apis/odd.example/v1/namespaces/odd/things';

let folder: string;
let from: Place;
let to: Place;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-odd-'));
  [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: false })]);
  await from.site.api.apply([
    namespace('odd'),
    customType('odd.example', 'things', [{ name: 'v1', served: true, storage: true }]),
    { apiVersion: 'odd.example/v1', kind: 'Thing', metadata: { name: 'first', namespace: 'odd' } },
  ]);
  for (const [name, data] of Object.entries(DATA)) {
    const body = `{"apiVersion":"odd.example/v1","kind":"Thing","metadata":{"name":"${name}"},"data":${data}}`;
    await from.connection.request({ method: 'POST', path: THINGS, body, doing: 'create' });
  }
});
afterAll(async () => {
  await from?.[Symbol.asyncDispose]();
  await to?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** The bytes between the names of two fields, as the API server sends them. */
async function dataOf(place: Place, name: string): Promise<string | undefined> {
  const { body } = await place.connection.request({ path: `${THINGS}/${name}`, doing: 'get' });
  return /"data":(.*),"kind":"Thing"/s.exec(body.toString('utf8'))?.[1];
}

describe('custom resources with odd contents', () => {
  it('survive backup and restore byte for byte', async () => {
    await using store = await makeStore(folder, { near: { type: 'directory', path: join(folder, 'near') } });
    const { point } = await backup({ connection: from.connection, writer: store.writer, site: 'from' });
    const source = await stateIn(store.vaults, store.keys, point.header.id);
    expect(troubles(await restoreInto(to, source))).toEqual([]);
    expect(await differencesTo(source, to)).toEqual([]);
    // Names only: a difference in the large one is not to be printed.
    const changed: string[] = [];
    for (const name of Object.keys(DATA)) {
      const before = await dataOf(from, name);
      if (before === undefined || before !== (await dataOf(to, name))) changed.push(name);
    }
    expect(changed).toEqual([]);
    expect(await dataOf(to, 'numbers')).toContain('"large":9007199254740993,"larger":18446744073709552000,"largest":9223372036854775807');
  });
});
