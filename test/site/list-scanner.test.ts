import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListScanner } from '../../src/site/list-scanner.ts';
import type { ListMeta } from '../../src/site/list-scanner.ts';

/** Scans `body` cut into pieces at these positions; items are copied, as a sink would. */
function scan(body: Uint8Array, cuts: readonly number[] = []): { items: string[]; meta: ListMeta } {
  const scanner = new ListScanner();
  const items: string[] = [];
  let from = 0;
  for (const to of [...cuts, body.length]) {
    for (const item of scanner.push(body.subarray(from, to))) items.push(Buffer.from(item).toString('utf8'));
    from = to;
  }
  return { items, meta: scanner.end() };
}

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** Strings with what is hard about JSON strings: escapes, quotes, brackets, long runs, any Unicode. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '\n', '\u0000', 'é', '😀', 'a') }),
  fc.string({ unit: fc.constantFrom('x', '"', '\\'), minLength: 100, maxLength: 300 }),
);
const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(anyText, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(anyText, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const anyItem = fc.dictionary(anyText, anyJson, { maxKeys: 5 });

/** A list as servers send it: fields in any order, with or without white space. */
const anyList = fc
  .record({
    items: fc.array(anyItem, { maxLength: 8 }),
    token: anyText,
    extra: anyJson,
    order: fc.shuffledSubarray(['kind', 'apiVersion', 'metadata', 'items', 'extra'], { minLength: 5, maxLength: 5 }),
    indent: fc.constantFrom(undefined, 1, '\t'),
  })
  .map(({ items, token, extra, order, indent }) => {
    const fields: Record<string, unknown> = {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '42', continue: token, remainingItemCount: 7 },
      items,
      extra,
    };
    const text = JSON.stringify(Object.fromEntries(order.map((name) => [name, fields[name]])), undefined, indent);
    return { items, token, text };
  });

describe('the list scanner', () => {
  it('gives every item of any list as JSON.parse sees it, wherever chunks are cut', () => {
    fc.assert(
      fc.property(anyList, fc.array(fc.nat(), { maxLength: 10 }), ({ items, token, text }, places) => {
        const body = bytes(text);
        const cuts = places.map((place) => place % (body.length + 1)).toSorted((a, b) => a - b);
        const scanned = scan(body, cuts);
        expect(scanned.items.map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(JSON.stringify(items)));
        expect(scanned.meta).toEqual({ resourceVersion: '42', continue: token, remainingItemCount: 7 });
      }),
      { numRuns: 400 },
    );
  });

  it('gives the same for a list cut in two at every position', () => {
    const body = bytes(
      '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9","continue":"\\"{\\\\"},\n' +
        ' "items" : [ {"a":"\\\\\\"}]é😀","b":[{"c":[]},-1.5e3]} ,{},{"d":"' +
        'x'.repeat(120) +
        '\\u007b"}\t] , "count":12 }  \n',
    );
    const whole = scan(body);
    expect(whole.items).toHaveLength(3);
    for (let cut = 0; cut <= body.length; cut += 1) expect(scan(body, [cut]), `cut at ${cut}`).toEqual(whole);
    expect(scan(body, Array.from({ length: body.length }, (_, index) => index)), 'byte by byte').toEqual(whole);
  });

  it('gives items byte for byte, with the spacing and number notation of the server', () => {
    const item = '{ "n" : 1.0E+2,\n"s":"\\u0041" }';
    expect(scan(bytes(`{"metadata":{},"items":[${item}]}`)).items).toEqual([item]);
  });

  it('notices every list that is cut short', () => {
    fc.assert(
      fc.property(anyList, fc.nat(), ({ text }, place) => {
        const body = bytes(text);
        expect(() => scan(body.subarray(0, place % body.length))).toThrow(/ended in the middle/);
      }),
    );
  });

  it('knows the metadata before the items when the server sends it first', () => {
    const scanner = new ListScanner();
    scanner.push(bytes('{"metadata":{"resourceVersion":"7"},"items":[{"a":'));
    expect(scanner.meta?.resourceVersion).toBe('7');
  });

  it('takes the null that some servers send for no items', () => {
    expect(scan(bytes('{"metadata":{"resourceVersion":"1"},"items":null}')).items).toEqual([]);
    expect(scan(bytes('{"items":[],"metadata":{}}')).meta).toEqual({ resourceVersion: '', continue: '' });
  });

  it.each([
    ['no object', '[]'],
    ['an item that is no object', '{"metadata":{},"items":[1]}'],
    ['no items', '{"metadata":{}}'],
    ['no metadata', '{"items":[]}'],
    ['items twice', '{"metadata":{},"items":[],"items":[]}'],
    ['something after it', '{"metadata":{},"items":[]}{}'],
    ['a field without a name', '{"metadata":{},items:[]}'],
    ['metadata of another type', '{"metadata":{"continue":5},"items":[]}'],
  ])('refuses %s', (_, text) => {
    expect(() => scan(bytes(text))).toThrow(expect.objectContaining({ code: 'LB_SITE_REFUSED' }));
  });

  it('refuses an item larger than any that etcd holds instead of filling memory', () => {
    const scanner = new ListScanner();
    scanner.push(bytes('{"metadata":{},"items":[{"a":"'));
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    expect(() => {
      for (let count = 0; count < 20; count += 1) scanner.push(megabyte);
    }).toThrow(/larger than/);
  });
});
