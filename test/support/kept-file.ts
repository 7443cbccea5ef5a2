import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Holds a file of the project to what `expected` makes of it (given the file as it is). With `UPDATE=1` in the
 * environment the file is written instead: that is how generated files and parts of pages are brought up to date.
 */
export async function expectKept(path: string, expected: (now: string) => string): Promise<void> {
  const file = `${project}${path}`;
  const now = await readFile(file, 'utf8').catch(() => '');
  const wanted = expected(now);
  if (wanted === now) return;
  if (process.env['UPDATE'] === '1') await writeFile(file, wanted);
  // What to do about a difference is part of what is compared, so that it stands beside it.
  else expect(`${path} (bring it up to date by running this test with UPDATE=1)\n${now}`).toBe(`${path}\n${wanted}`);
}

/** `page` with what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` replaced. */
export function withPart(page: string, name: string, part: string): string {
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the page has no part "${name}"`);
  return `${page.slice(0, from + begin.length)}\n${part.trim()}\n${page.slice(to)}`;
}
