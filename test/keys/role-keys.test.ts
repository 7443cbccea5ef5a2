import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  formatMaintainKey,
  formatReadKey,
  formatWriteKey,
  generateRepositoryKeys,
  maintainKeyOf,
  parseMaintainKey,
  parseReadKey,
  parseRoleKey,
  parseWriteKey,
  publicKeyFor,
  publicKeysOf,
  readKeyOf,
  Secret,
  writeKeyOf,
} from '../../src/keys/index.ts';
import type { RolePurpose, RepositoryKeys } from '../../src/keys/index.ts';
import { signFor, verifyFor } from '../../src/keys/signing.ts';
import { plainKeys } from './plain-keys.ts';

/** As keys were before the roles had signing keys of their own. */
const old = (keys: RepositoryKeys): RepositoryKeys => {
  const { signingKey, signingPublicKey } = keys;
  return { ...keys, reportKey: signingKey, reportPublicKey: signingPublicKey, maintainKey: signingKey, maintainPublicKey: signingPublicKey };
};

const ROLES = {
  write: { version: 2, take: writeKeyOf, format: formatWriteKey, parse: parseWriteKey },
  read: { version: 1, take: readKeyOf, format: formatReadKey, parse: parseReadKey },
  maintain: { version: 1, take: maintainKeyOf, format: formatMaintainKey, parse: parseMaintainKey },
} as const;

describe.each(['write', 'read', 'maintain'] as const)('a %s key as text', (role) => {
  const { version, take, format, parse } = ROLES[role];
  let keys: RepositoryKeys;
  let text: string;
  beforeAll(async () => {
    keys = await generateRepositoryKeys();
    text = format(keys);
  });

  it('is one line, and reads back as the same key and nothing more', () => {
    expect(text).toMatch(new RegExp(`^lifeboat-${role}-key-${version}\\.[A-Za-z0-9_-]+\\.[0-9a-f]{8}$`));
    expect(plainKeys(parse(text))).toEqual(plainKeys(take(keys)));
    expect(parseRoleKey(text).role).toBe(role);
    expect(plainKeys(parseRoleKey(text).keys)).toEqual(plainKeys(take(keys)));
  });

  it('may be wrapped, indented and commented in its file', () => {
    const wrapped = `# keep this secret\n\n${(text.match(/.{1,64}/g) ?? []).map((line) => `  ${line}\r\n`).join('')}\n# end\n`;
    expect(plainKeys(parse(wrapped))).toEqual(plainKeys(take(keys)));
  });

  it('is refused after any typing mistake', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('a', 'B', '3', '_', '-', '.', 'z'), (at, character) => {
        fc.pre(text[at] !== character);
        const mistyped = text.slice(0, at) + character + text.slice(at + 1);
        expect(() => parse(mistyped)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID' }));
      }),
    );
  });

  it('is refused when a part is missing, and when it is something else', () => {
    const others = ['', 'nonsense', text.slice(0, -1), text.slice(0, 900), `${text}.`, 'AGE-SECRET-KEY-1QQQ'];
    for (const other of others) expect(() => parse(other)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID' }));
    expect(() => parseRoleKey('nonsense')).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID', message: 'This is not an exported key', hint: expect.stringContaining('lifeboat-maintain-key-') as string }));
    const newer = text.replace(`-${version}.`, '-9.');
    expect(() => parse(newer)).toThrow(expect.objectContaining({ code: 'LB_KEY_INVALID', hint: 'Use a newer lifeboat.' }));
  });

  it('is refused where the key of another role is needed, and both are named', () => {
    for (const other of ['write', 'read', 'maintain'] as const) {
      if (other === role) continue;
      expect(() => ROLES[other].parse(text)).toThrow(`This is a ${role} key, and a ${other} key is needed`);
    }
  });

  it('is never in the message of the error', async () => {
    const error = await (async () => parse(text.slice(0, -1)))().catch((thrown: unknown) => thrown);
    expect(inspect(error)).toContain('LB_KEY_INVALID');
    expect(inspect(error)).not.toContain(text.slice(30, 65));
  });

  it('has none of the secrets of the other roles', () => {
    const bytes = Buffer.from(text.split('.')[1] ?? '', 'base64url');
    const own = take(keys);
    const within = Object.entries(keys).filter(([, value]) => value instanceof Secret && bytes.includes(Buffer.from(value.expose())));
    const secrets = Object.entries(own).filter(([, value]) => value instanceof Secret);
    expect(within.map(([name]) => name).sort()).toEqual(secrets.map(([name]) => name).sort());
  });
});

describe('the roles of a repository', () => {
  it('each sign for their own purposes, and for no other', async () => {
    const keys = await generateRepositoryKeys();
    const purposes: Readonly<Record<RolePurpose, 'signingKey' | 'reportKey' | 'maintainKey'>> = {
      'lifeboat/1/repository': 'signingKey',
      'lifeboat/1/point': 'signingKey',
      'lifeboat/1/report': 'reportKey',
      'lifeboat/1/job': 'reportKey',
      'lifeboat/1/drill': 'reportKey',
      'lifeboat/1/slot-removed': 'maintainKey',
      'lifeboat/1/removed': 'maintainKey',
      'lifeboat/1/sweep': 'maintainKey',
      'lifeboat/1/lease': 'maintainKey',
    };
    const message = Buffer.from('what is signed');
    for (const purpose of Object.keys(purposes) as RolePurpose[]) {
      const accepted = (['signingKey', 'reportKey', 'maintainKey'] as const).filter((name) =>
        verifyFor(purpose, message, signFor(purpose, message, keys[name]), publicKeyFor(purpose, publicKeysOf(keys))),
      );
      expect([purpose, accepted]).toEqual([purpose, [purposes[purpose]]]);
    }
  });

  it('are one where they always were: its write key is of the first kind, and no other key is given away', async () => {
    const keys = old(await generateRepositoryKeys());
    const text = formatWriteKey(keys);
    expect(text).toMatch(/^lifeboat-write-key-1\./);
    expect(plainKeys(parseWriteKey(text))).toEqual(plainKeys(writeKeyOf(keys)));
    expect(() => formatReadKey(keys)).toThrow(expect.objectContaining({ code: 'LB_KEY_ROLE' }));
    expect(() => formatMaintainKey(keys)).toThrow(expect.objectContaining({ code: 'LB_KEY_ROLE' }));
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
    for (const name of ['sealingKey', 'signingKey', 'reportKey', 'maintainKey'] as const) expect(one[name].expose()).not.toEqual(two[name].expose());
  });
});
