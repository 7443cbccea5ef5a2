import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peekIdentity } from '../../src/site/peek.ts';

const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', '[', ']', ',', 'é', '\u0001') });
const json = fc.jsonValue();

describe('peekIdentity', () => {
  it('reads what JSON.parse reads, whatever else is in the object and in which order', () => {
    fc.assert(
      fc.property(
        fc.dictionary(text, json),
        fc.dictionary(text, json),
        fc.option(text, { nil: undefined }),
        fc.option(text, { nil: undefined }),
        fc.boolean(),
        fc.constantFrom(undefined, 2),
        (around, inside, name, namespace, last, indent) => {
          const metadata = last ? { ...inside, namespace, name } : { name, namespace, ...inside };
          const object = last ? { ...around, metadata } : { metadata, ...around };
          const raw = JSON.stringify(object, undefined, indent);
          const parsed = JSON.parse(raw) as { metadata: Record<string, unknown> };
          const expected = (field: string): unknown => (typeof parsed.metadata[field] === 'string' ? parsed.metadata[field] : '');
          expect(peekIdentity(Buffer.from(raw))).toEqual({ name: expected('name'), namespace: expected('namespace') });
        },
      ),
    );
  });

  it('reads nothing where there is nothing', () => {
    expect(peekIdentity(Buffer.from('{}'))).toEqual({ name: '', namespace: '' });
    expect(peekIdentity(Buffer.from('{"metadata":null,"spec":1}'))).toEqual({ name: '', namespace: '' });
  });

  it('is not misled by fields of the same name elsewhere', () => {
    const raw = '{"spec":{"metadata":{"name":"no"}},"metadata":{"labels":{"name":"no","namespace":"no"},"name":"yes","namespace":"here"}}';
    expect(peekIdentity(Buffer.from(raw))).toEqual({ name: 'yes', namespace: 'here' });
  });
});
