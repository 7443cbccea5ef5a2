import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf, equalJson } from '../../src/adapt/canonical.ts';
import { cloneObject, parseObject, writeObject } from '../../src/adapt/json.ts';

const roundTrip = (text: string): string => JSON.stringify(parseObject(Buffer.from(text)));

/** JSON objects, with keys and texts of every kind. */
const jsonObject = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());

describe('parsing and writing an object', () => {
  it.each([
    ['integers beyond 2^53', '{"a":9007199254740993,"b":[-9223372036854775808]}'],
    ['decimals with zeros', '{"a":1.0,"b":{"c":10.50}}'],
    ['exponents', '{"a":1e3,"b":1E-7}'],
    ['many digits', '{"a":0.12345678901234567890}'],
    ['names that objects have by nature', '{"__proto__":{"x":1},"constructor":"y","toString":"z"}'],
    ['odd text', JSON.stringify({ a: '\u0000\u2028\ud83d\ude00"\\' })],
  ])('gives back %s as they were', (_what, text) => {
    expect(roundTrip(text)).toBe(text);
    expect(JSON.stringify(cloneObject(parseObject(Buffer.from(text))))).toBe(text);
  });

  it('gives back anything', () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const text = JSON.stringify(object);
        expect(roundTrip(text)).toBe(text);
      }),
    );
  });

  it('writes objects as Go would, and means the same', () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const text = writeObject(parseObject(Buffer.from(JSON.stringify(object))));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(object)));
        expect(text).not.toMatch(/[<>&\u2028\u2029]/);
      }),
    );
    expect(writeObject({ a: '<b> & \u2028' })).toBe(String.raw`{"a":"\u003cb\u003e \u0026 \u2028"}`);
  });

  it('does not quote what it cannot read: it may be a Secret', () => {
    expect(() => parseObject(Buffer.from('{"data":{"password":hunter2}}'))).toThrow(/^An object is not valid JSON$/);
    expect(() => parseObject(Buffer.from('[1]'))).toThrow(/not a JSON object/);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        const turned = Object.fromEntries(Object.entries(object).toReversed());
        expect(digestOf(parseObject(Buffer.from(JSON.stringify(turned))))).toBe(digestOf(parseObject(Buffer.from(JSON.stringify(object)))));
      }),
    );
  });

  it('is JSON of the same value', () => {
    fc.assert(
      fc.property(jsonObject, (object) => {
        expect(JSON.parse(canonicalJson(parseObject(Buffer.from(JSON.stringify(object)))))).toEqual(JSON.parse(JSON.stringify(object)));
      }),
    );
  });

  it('tells different values apart', () => {
    expect(equalJson({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
    expect(equalJson({ a: null }, {})).toBe(false);
    expect(equalJson({ a: 1 }, { a: '1' })).toBe(false);
    expect(equalJson(undefined, null)).toBe(false);
  });
});

describe('the digest of a value', () => {
  it('cannot be computed from the value by anyone else', () => {
    const guess = createHash('sha256').update(canonicalJson({ data: { pin: 'MTIzNA==' } })).digest().toString('base64url', 0, 16);
    expect(digestOf({ data: { pin: 'MTIzNA==' } })).toHaveLength(guess.length);
    expect(digestOf({ data: { pin: 'MTIzNA==' } })).not.toBe(guess);
  });
});
