import { describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { groupReasons, groupWarnings } from '../../src/cli/warning-groups.ts';

const refused = (name: string): string => `Not allowed to list ${name}: ${name} is forbidden: User "ann" cannot list resource "${name}"`;
const notCut = (name: string): Warning => ({ kind: 'type-not-cut', message: `${name} was not read: ${refused(name)}`, where: name });
const slow: Warning = { kind: 'type-not-cut', message: 'widgets was not read: it does not answer', where: 'widgets' };
const vault: Warning = { kind: 'vault-unavailable', message: 'The disk is full', where: 'vault "far"' };

describe('warnings about many types', () => {
  it('become one where the cause is the same; others stay', () => {
    const warnings = [vault, ...['secrets', 'pods', 'nodes', 'leases'].map(notCut), slow];
    expect(groupWarnings(warnings)).toEqual([
      vault,
      { kind: 'type-not-cut', message: '4 types were not read: not allowed to list them: secrets, pods, nodes, leases (--verbose shows each)' },
      slow,
    ]);
  });

  it('stay as they are when they are few', () => {
    const warnings = [notCut('secrets'), notCut('pods'), slow];
    expect(groupWarnings(warnings)).toEqual(warnings);
  });

  it('are told with their reasons when they differ', () => {
    const types = ['a', 'b', 'c', 'd'].map((name) => ({ name, reason: refused(name) }));
    expect(groupReasons([{ name: 'x', reason: 'gone' }, ...types])).toEqual(['x: gone', '4 types: not allowed to list them: a, b, c, d']);
  });
});
