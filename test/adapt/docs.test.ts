import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/adapt/catalogue.ts';
import { generatedParts, withParts } from './rules-table.ts';

const page = new URL('../../docs/restore.md', import.meta.url);

describe('the catalogue and docs/restore.md', () => {
  it('say the same', async () => {
    const expected = withParts(await readFile(page, 'utf8'), generatedParts());
    // `LIFEBOAT_UPDATE_DOCS=1 npm test -- test/adapt/docs.test.ts` writes the page.
    if (process.env['LIFEBOAT_UPDATE_DOCS'] === '1') await writeFile(page, expected);
    expect(await readFile(page, 'utf8')).toBe(expected);
  });

  it('give every rule one name, and a reason', () => {
    const ids = CATALOGUE.map((rule) => rule.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of CATALOGUE) {
      expect(rule.id).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(rule.why).toMatch(/\.$/);
    }
  });
});
