import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseObject } from '../../../src/adapt/json.ts';
import type { JsonValue } from '../../../src/adapt/json.ts';
import { toYaml } from '../../../src/cli/show/yaml.ts';

const AMBIGUOUS = ['yes', 'No', 'on', 'OFF', 'y', 'n', 'true', '0b11', '0o17', '0x1F', '1_000', '=', '<<', '2026-01-01', '2026-01-01T10:00:00Z', '012', '1e3', '12:30:45', '.5', '.inf', '-1', '+1', 'null', '~', '', ' ', '- x', 'a: b', '#'];

/** Read back as both versions of YAML that are in use. */
function readBack(value: JsonValue): unknown[] {
  const text = toYaml(value);
  return [parse(text, { version: '1.1' }), parse(text, { version: '1.2' })];
}

describe('YAML of an object', () => {
  it('keeps texts texts in both versions of YAML, as values, in lists and as keys', () => {
    for (const text of AMBIGUOUS) {
      const value = { data: { [text]: text }, list: [text] };
      expect(readBack(value)).toEqual([value, value]);
    }
  });

  it('quotes what readers of YAML 1.1 take for something else', () => {
    for (const text of AMBIGUOUS.filter((one) => one !== '')) {
      expect(toYaml({ [text]: text })).toMatch(/^(["']).*\1: (["']).*\2\n$/);
    }
  });

  it('leaves plain what nobody mistakes, and blocks of lines readable', () => {
    expect(toYaml({ kind: 'ConfigMap', data: { motd: 'one\n2 two\n', image: 'example.invalid/web:1' }, replicas: 2 })).toBe(
      'kind: ConfigMap\ndata:\n  motd: |\n    one\n    2 two\n  image: example.invalid/web:1\nreplicas: 2\n',
    );
  });

  it('escapes the line breaks that only YAML 1.1 knows', () => {
    expect(toYaml({ a: 'x\u0085y\u2028z', b: 'one\ntwo\u2029' })).toMatch(/^[\n\u0020-\u007E]*$/);
  });

  it('gives any object back', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...AMBIGUOUS));
    const value = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text)), { noNullPrototype: true });
    fc.assert(
      fc.property(value, (object) => {
        expect(readBack(object)).toEqual([object, object]);
      }),
    );
  });

  it('keeps whole numbers that JavaScript cannot hold', () => {
    expect(toYaml(parseObject(Buffer.from('{"generation":12345678901234567890}')))).toBe('generation: 12345678901234567890\n');
  });
});
