import { describe, expect, it } from 'vitest';
import { formatAge, formatBytes, formatCount, formatTable, plural, printable } from '../../src/cli/text.ts';

describe('numbers for people', () => {
  it('marks thousands', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([plural(1, 'object'), plural(2000, 'object'), plural(2, 'entry', 'entries')]).toEqual(['1 object', '2,000 objects', '2 entries']);
  });

  it('shows bytes with three figures', () => {
    expect([0, 999, 1000, 4_190_000, 999_499, 999_500, 12_345_678_901].map(formatBytes)).toEqual([
      '0 B', '999 B', '1.00 kB', '4.19 MB', '999 kB', '1.00 MB', '12.3 GB',
    ]);
  });

  it('shows how long ago', () => {
    expect([-5, 40_000, 720_000, 5 * 3_600_000, 80 * 3_600_000].map(formatAge)).toEqual(['0 s', '40 s', '12 min', '5 h', '3 d']);
  });
});

describe('a table', () => {
  it('has columns as wide as their contents and no trailing blanks', () => {
    const table = formatTable([{ title: 'point' }, { title: 'objects', right: true }, { title: 'vaults' }], [['a', '12', 'near'], ['bcdefg', '3', '']]);
    expect(table).toBe('POINT   OBJECTS  VAULTS\na            12  near\nbcdefg        3');
  });
});

describe('text from elsewhere', () => {
  it('cannot move the cursor, ring, or hide what follows', () => {
    expect(printable('a\u001b[2Jb\u0007c\u009bd\u001b[8m\re\tf\ng')).toBe('a�[2Jb�c�d�[8m�e\tf\ng');
  });

  it('may carry the colours lifeboat writes', () => {
    expect(printable('\u001b[1m\u001b[31merror:\u001b[39m\u001b[22m')).toBe('\u001b[1m\u001b[31merror:\u001b[39m\u001b[22m');
  });
});
