import { afterAll, describe, expect, it } from 'vitest';
import type { StateSource } from '../../src/site/types.ts';
import { publish, readCorpus } from './corpus.ts';
import { differencesTo, openPlace, restoreInto, troubles } from './scene.ts';
import type { Place } from './scene.ts';

const corpus = await readCorpus();
const places: Place[] = [];
afterAll(async () => {
  await Promise.all(places.map((place) => place[Symbol.asyncDispose]()));
});

/** A fresh site, started when it is first needed. */
async function fresh(name: string, controllers: boolean): Promise<Place> {
  const place = await openPlace({ name, controllers });
  places.push(place);
  return place;
}

describe.each([true, false])('what real projects publish, from a site where controllers are at work: %s', (controllersThere) => {
  let source: StateSource | undefined;

  it.for([true, false])('survives loss, and return where they are: %s', async (controllersHere, context) => {
    if (corpus === undefined) {
      context.skip('there is no corpus beside the project, and LIFEBOAT_CORPUS does not name one');
      return;
    }
    if (source === undefined) {
      const lost = await fresh('lost', controllersThere);
      await publish(lost, corpus);
      source = await lost.cut();
    }
    const target = await fresh('target', controllersHere);
    const report = await restoreInto(target, source);
    expect(troubles(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, objects: { failed: 0, conflict: 0, unsupported: 0, kept: 0 } });
    expect(await differencesTo(source, target)).toEqual([]);
  });
});
