import { Decrypter, Encrypter } from 'age-encryption';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decryptAge, encryptAge } from '../../src/keys/age.ts';
import { aboutSlot, generateIdentity, parseIdentities, recipientOf } from '../../src/keys/index.ts';

const content = Buffer.from('what is in the slot');

describe('age files', () => {
  it('of a passphrase are those that other age programs make and open', async () => {
    const ours = await encryptAge(content, { kind: 'passphrase', passphrase: 'swordfish', workFactor: 8 });
    const decrypter = new Decrypter();
    decrypter.addPassphrase('swordfish');
    expect(Buffer.from(await decrypter.decrypt(ours))).toEqual(content);

    const encrypter = new Encrypter();
    encrypter.setPassphrase('swordfish');
    encrypter.setScryptWorkFactor(8);
    const theirs = await encrypter.encrypt(content);
    expect(Buffer.from((await decryptAge(theirs, { passphrases: ['wrong', 'swordfish'] })) ?? [])).toEqual(content);
  });

  it('open with their passphrase only, whatever characters it has', async () => {
    const passphrase = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(passphrase, passphrase, async (right, wrong) => {
        fc.pre(right !== wrong);
        const file = await encryptAge(content, { kind: 'passphrase', passphrase: right, workFactor: 2 });
        expect(Buffer.from((await decryptAge(file, { passphrases: [right] })) ?? [])).toEqual(content);
        expect(await decryptAge(file, { passphrases: [wrong] })).toBeUndefined();
      }),
      { numRuns: 20 },
    );
  });

  it.each(['x25519', 'post-quantum'] as const)(
    'of an identity (%s) open with it, and with nothing else',
    async (kind) => {
      const [mine, other] = await Promise.all([generateIdentity(kind), generateIdentity(kind)]);
      expect(await recipientOf(mine.identity)).toBe(mine.recipient);
      const file = await encryptAge(content, { kind: 'age', recipient: mine.recipient });
      expect(aboutSlot(file)).toEqual({ kind, role: 'owner' });
      expect(
        Buffer.from((await decryptAge(file, { identities: [other.identity, ` ${mine.identity}\n`] })) ?? []),
      ).toEqual(content);
      expect(await decryptAge(file, { identities: [other.identity], passphrases: ['x'] })).toBeUndefined();
    },
  );

  it('that would take all memory to open are not opened', async () => {
    const file = Buffer.from(await encryptAge(content, { kind: 'passphrase', passphrase: 'x', workFactor: 9 }));
    const greedy = Buffer.from(file.toString('latin1').replace(/^(-> scrypt \S+) 9$/m, '$1 30'), 'latin1');
    expect(await decryptAge(greedy, { passphrases: ['x'] })).toBeUndefined();
  });

  it('are not made for what is no recipient, and an empty passphrase', async () => {
    const { identity } = await generateIdentity('x25519');
    const invalid = { code: 'LB_KEY_INVALID' };
    await expect(encryptAge(content, { kind: 'age', recipient: 'age1nonsense' })).rejects.toMatchObject(invalid);
    await expect(encryptAge(content, { kind: 'age', recipient: identity })).rejects.toMatchObject(invalid);
    await expect(encryptAge(content, { kind: 'passphrase', passphrase: '' })).rejects.toMatchObject(invalid);
    await expect(decryptAge(content, { identities: ['AGE-SECRET-KEY-1NONSENSE'] })).rejects.toMatchObject(invalid);
    await expect(recipientOf('nonsense')).rejects.toMatchObject(invalid);
  });
});

describe('an identity file', () => {
  it('has one identity a line, and comments', async () => {
    const [one, two] = await Promise.all([generateIdentity('x25519'), generateIdentity('post-quantum')]);
    const text = `# created: today\r\n# public key: ${one.recipient}\r\n${one.identity}\r\n\n${two.identity}\n`;
    expect(parseIdentities(text)).toEqual([one.identity, two.identity]);
  });

  it('is refused when it is something else, without showing it', () => {
    for (const text of ['', '# nothing', 'hunter2', 'age1qqqq', 'AGE-SECRET-KEY-1QQQ\nhunter2']) {
      expect(() => parseIdentities(text)).toThrow(
        expect.objectContaining({ code: 'LB_KEY_INVALID', message: expect.not.stringContaining('hunter2') as string }),
      );
    }
  });
});
