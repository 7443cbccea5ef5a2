import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, EXIT } from '../../src/core/error-codes.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');

describe('docs/errors.md', () => {
  it('has every code, in the order of the code, with its title, exit code and whether it may pass', () => {
    const documented = [...page.matchAll(/^### (LB_\w+)\n\n(.+)\n\n/gm)].map(([, code, facts]) => `${code ?? ''}: ${facts ?? ''}`);
    const actual = Object.entries(ERROR_CODES).map(
      ([code, { title, exit, retriable }]) => `${code}: ${title}. Exit ${exit}.${retriable ? ' May pass.' : ''}`,
    );
    expect(documented).toEqual(actual);
  });

  it('says of every code what to do', () => {
    const sections = page.split(/^### (?=LB_)/m).slice(1);
    const silent = sections.filter((section) => section.split('\n\n').slice(2).join(' ').trim().length < 20);
    expect(silent).toEqual([]);
  });

  it('lists the exit codes', () => {
    const listed = [...page.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
    expect(listed).toEqual(Object.values(EXIT));
  });
});
