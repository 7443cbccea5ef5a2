import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatWriteKey, generateRepositoryKeys, parseWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import type { RepositoryKeys, WriteKey } from '../../src/keys/index.ts';

const plain = (key: WriteKey): unknown => ({
  ...key,
  sealingPublicKey: Buffer.from(key.sealingPublicKey).toString('hex'),
  signingPublicKey: Buffer.from(key.signingPublicKey).toString('hex'),
  dedupKey: Buffer.from(key.dedupKey.expose()).toString('hex'),
  indexKey: Buffer.from(key.indexKey.expose()).toString('hex'),
  signingKey: Buffer.from(key.signingKey.expose()).toString('hex'),
});

describe('a write key as text', () => {
  let keys: RepositoryKeys;
  let text: string;
  beforeAll(async () => {
    keys = await generateRepositoryKeys();
    text = formatWriteKey(writeKeyOf(keys));
  });

  it('is one line, and reads back as the same key', () => {
    expect(text).toMatch(/^lifeboat-write-key-1\.[A-Za-z0-9_-]+\.[0-9a-f]{8}$/);
    expect(plain(parseWriteKey(text))).toEqual(plain(writeKeyOf(keys)));
  });

  it('may be wrapped, indented and commented in its file', () => {
    const wrapped = `# keep this secret\n\n${(text.match(/.{1,64}/g) ?? []).map((line) => `  ${line}\r\n`).join('')}\n# end\n`;
    expect(plain(parseWriteKey(wrapped))).toEqual(plain(writeKeyOf(keys)));
  });

  it('is refused after any typing mistake', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('a', 'B', '3', '_', '-', '.', 'z'), (at, character) => {
        fc.pre(text[at] !== character);
        const mistyped = text.slice(0, at) + character + text.slice(at + 1);
        expect(() => parseWriteKey(mistyped)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID' }));
      }),
    );
  });

  it('is refused when a part is missing, and when it is something else', () => {
    for (const other of [
      '',
      'nonsense',
      text.slice(0, -1),
      text.slice(0, 900),
      `${text}.`,
      text.replace('-1.', '-2.'),
      'AGE-SECRET-KEY-1QQQ',
    ]) {
      expect(() => parseWriteKey(other)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID' }));
    }
  });

  it('is never in the message of the error', async () => {
    const error = await (async () => parseWriteKey(text.slice(0, -1)))().catch((thrown: unknown) => thrown);
    expect(inspect(error)).toContain('LB_KEY_INVALID');
    expect(inspect(error)).not.toContain(text.slice(25, 60));
  });
});

describe('key material', () => {
  it('does not show itself', async () => {
    const keys = await generateRepositoryKeys();
    const secret = Buffer.from(keys.sealingKey.expose());
    const shown = [inspect(keys), JSON.stringify(keys), String(keys.sealingKey)].join(' ');
    for (const form of ['hex', 'base64', 'base64url'] as const) expect(shown).not.toContain(secret.toString(form));
    expect(shown).toContain('[secret]');
  });

  it('is new every time', async () => {
    const [one, two] = await Promise.all([generateRepositoryKeys(), generateRepositoryKeys()]);
    expect(one.repositoryId).not.toBe(two.repositoryId);
    expect(one.sealingKey.expose()).not.toEqual(two.sealingKey.expose());
  });
});
