import { describe, expect, it } from 'vitest';
import { parseSize } from '../../src/cli/size.ts';

describe('a size on the command line', () => {
  it('has a unit, decimal or binary, in any case', () => {
    expect(['500GiB', '1.5 TB', '10mib', '7B', '0'].map(parseSize)).toEqual([500 * 2 ** 30, 1.5e12, 10 * 2 ** 20, 7, 0]);
  });

  it('is nothing else', () => {
    expect(['500', '-1GB', 'GB', '1 G', '1e3 GB', ''].map(parseSize)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
  });
});
