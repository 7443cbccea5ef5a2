import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/adapt/catalogue.ts';
import { drillParts, generatedParts, withParts } from './rules-table.ts';

const PAGES = [
  { name: 'restore.md', parts: generatedParts() },
  { name: 'drills.md', parts: drillParts() },
];

describe('the catalogue and the pages about it', () => {
  it.each(PAGES)('say the same: $name', async ({ name, parts }) => {
    const page = new URL(`../../docs/${name}`, import.meta.url);
    const expected = withParts(await readFile(page, 'utf8'), parts);
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
