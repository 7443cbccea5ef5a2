import { assert, pre, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/core/redact.ts';

describe('the last thing every output passes through', () => {
  it('replaces what it was told, wherever it stands', () => {
    const redactor = new Redactor();
    redactor.add('correct horse battery staple');
    expect(redactor.redact('cannot open with "correct horse battery staple"!')).toBe('cannot open with "[secret]"!');
  });

  it('knows every line of a file, but not its comments', () => {
    const redactor = new Redactor();
    redactor.add('# created: 2026-03-14\nfirst-secret-line\n\nsecond-secret-line\n');
    expect(redactor.redact('created: 2026-03-14 second-secret-line first-secret-line')).toBe('created: 2026-03-14 [secret] [secret]');
  });

  it('finds secrets inside JSON', () => {
    const redactor = new Redactor();
    redactor.add('pass"word\\1');
    expect(redactor.redact(JSON.stringify({ message: 'pass"word\\1' }))).toBe('{"message":"[secret]"}');
  });

  it('hides identities and passwords in URLs that it was never told', () => {
    const redactor = new Redactor();
    expect(redactor.redact('AGE-SECRET-KEY-1QQPQYQS and AGE-SECRET-KEY-PQ-1QQPQYQS')).toBe('[secret] and [secret]');
    expect(redactor.redact('proxy http://me:hunter2@proxy:3128/ failed')).toBe('proxy http://me:[secret]@proxy:3128/ failed');
  });

  it('leaves nothing of any secret', () => {
    assert(
      property(string({ minLength: 8 }), string(), string(), (secret, before, after) => {
        pre(secret.trim().length >= 8 && !secret.trim().startsWith('#') && !'[secret]'.includes(secret.trim()));
        const redactor = new Redactor();
        redactor.add(secret);
        expect(redactor.redact(`${before} ${secret} ${after}`)).not.toContain(secret.trim());
      }),
    );
  });
});
