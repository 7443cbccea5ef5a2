import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerConfig } from '../../src/config/service-schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { authenticator } from '../../src/server/auth/authenticate.ts';
import type { Authenticate } from '../../src/server/auth/authenticate.ts';
import { claimValues } from '../../src/server/auth/oidc.ts';
import { OidcProviderDouble } from './doubles/oidc-provider-double.ts';

let provider: OidcProviderDouble;
beforeAll(async () => {
  provider = await OidcProviderDouble.start();
});
afterAll(() => provider.close());

const PEER = { address: '192.0.2.7' };

function checker(oidc: Partial<NonNullable<ServerConfig['oidc']>> = {}, more: Partial<ServerConfig> = {}): Authenticate {
  const config = { oidc: { issuer: provider.issuer, audience: 'lifeboat', roles: { viewer: ['look'], operator: ['operate'], admin: ['administer'] }, ...oidc }, audit: { keyEnv: 'K' }, ...more };
  return authenticator(config, systemClock, 0);
}

/** Changes parts of a token without signing it anew. */
function tampered(token: string, change: { readonly header?: object; readonly payload?: object }, sign: (signed: string, old: string) => string): string {
  const [head = '', body = '', signature = ''] = token.split('.');
  const edit = (part: string, by: object | undefined): string =>
    by === undefined ? part : Buffer.from(JSON.stringify({ ...(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as object), ...by })).toString('base64url');
  const signed = `${edit(head, change.header)}.${edit(body, change.payload)}`;
  return `${signed}.${sign(signed, signature)}`;
}

describe('a token', () => {
  it('of the provider names somebody with the highest of their roles', async () => {
    const token = await provider.token({ subject: 'ada', claims: { roles: ['operate', 'look', 'other'] } });
    expect(await checker()(`Bearer ${token}`, PEER)).toEqual({ name: 'token:ada', kind: 'token', subject: 'ada', issuer: provider.issuer, role: 'operator' });
    expect((await checker()(`bearer ${await provider.token({ claims: { roles: 'x administer' } })}`, PEER)).role).toBe('admin');
    expect((await checker()(`Bearer ${await provider.token()}`, PEER)).role).toBeUndefined();
    expect((await checker({ rolesClaim: 'realm_access.roles' })(`Bearer ${await provider.token({ claims: { realm_access: { roles: ['look'] } } })}`, PEER)).role).toBe('viewer');
  });

  it('may be a little ahead or behind, as clocks are', async () => {
    expect((await checker()(`Bearer ${await provider.token({ expires: -10 })}`, PEER)).subject).toBe('ada');
    expect((await checker()(`Bearer ${await provider.token({ notBefore: 10 })}`, PEER)).subject).toBe('ada');
  });

  const bad: Readonly<Record<string, () => Promise<string>>> = {
    'that has expired': () => provider.token({ expires: -120 }),
    'of the future': () => provider.token({ notBefore: 120 }),
    'for another audience': () => provider.token({ audience: 'somebody-else' }),
    'of another issuer': () => provider.token({ issuer: 'https://id.example.org' }),
    'that names nobody': () => provider.token({ subject: '' }),
    'with algorithm none': async () => tampered(await provider.token(), { header: { alg: 'none' } }, () => ''),
    'with algorithm none and a signature': async () => tampered(await provider.token(), { header: { alg: 'none' } }, (_signed, old) => old),
    'signed by HMAC with the public key': async () => tampered(await provider.token(), { header: { alg: 'HS256' } }, (signed) => createHmac('sha256', JSON.stringify(provider.publicKeys[0])).update(signed).digest('base64url')),
    'that was edited': async () => tampered(await provider.token(), { payload: { roles: ['administer'] } }, (_signed, old) => old),
    'signed with a key that only calls itself the provider’s': async () => {
      const thief = await OidcProviderDouble.start();
      const token = await thief.token({ issuer: provider.issuer });
      await thief.close();
      return token;
    },
    'that brings its own key': async () => {
      const thief = await OidcProviderDouble.start();
      const token = tampered(await thief.token({ issuer: provider.issuer }), { header: { jwk: thief.publicKeys[0], jku: `${thief.issuer}/keys` } }, (_signed, old) => old);
      await thief.close();
      return token;
    },
    'that is none': () => Promise.resolve('not-a-token'),
    'that is far too long': async () => `${await provider.token()}${'A'.repeat(20_000)}`,
  };
  for (const [what, make] of Object.entries(bad)) {
    it(`${what} is refused`, async () => {
      const token = await make();
      await expect(checker()(`Bearer ${token}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAUTHENTICATED', message: expect.not.stringContaining(token) as string }));
    });
  }

  it('signed with a new key is accepted once the provider has it, and one of the old key no longer', async () => {
    const check = checker();
    const before = await provider.token();
    await check(`Bearer ${before}`, PEER);
    await provider.rotate();
    expect((await check(`Bearer ${await provider.token({ subject: 'ben' })}`, PEER)).subject).toBe('ben');
    await expect(check(`Bearer ${before}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAUTHENTICATED' }));
  });

  it('without the name of its key is refused where there are several', async () => {
    await provider.rotate({ keep: true });
    await expect(checker()(`Bearer ${await provider.token({ named: false })}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAUTHENTICATED' }));
    await provider.rotate();
    expect((await checker()(`Bearer ${await provider.token({ named: false })}`, PEER)).subject).toBe('ada');
  });

  it('of every asymmetric kind is accepted', async () => {
    for (const alg of ['RS256', 'PS256', 'ES384', 'EdDSA']) {
      await provider.rotate({ alg });
      expect((await checker()(`Bearer ${await provider.token()}`, PEER)).subject).toBe('ada');
    }
  });

  it('does not make the provider be asked again for every key that there is not', async () => {
    const check = authenticator({ oidc: { issuer: provider.issuer, audience: 'lifeboat', roles: {} }, audit: { keyEnv: 'K' } }, systemClock);
    await check(`Bearer ${await provider.token()}`, PEER);
    const before = provider.asked;
    for (let i = 0; i < 5; i++) {
      const token = tampered(await provider.token(), { header: { kid: `none-${i}` } }, (_signed, old) => old);
      await expect(check(`Bearer ${token}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAUTHENTICATED' }));
    }
    expect(provider.asked).toBe(before);
  });
});

describe('the provider', () => {
  it('that does not answer is not the fault of whoever asks', async () => {
    const check = checker();
    provider.broken = true;
    await expect(check(`Bearer ${await provider.token()}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAVAILABLE' }));
    provider.broken = false;
    expect((await check(`Bearer ${await provider.token()}`, PEER)).subject).toBe('ada');
  });

  it('that calls itself something else is not believed', async () => {
    provider.calls = 'https://id.example.org';
    await expect(checker()(`Bearer ${await provider.token()}`, PEER)).rejects.toThrow(expect.objectContaining({ code: 'LB_API_UNAVAILABLE' }));
    provider.calls = undefined;
  });
});

describe('whoever asks', () => {
  const certificate = { commonNames: ['operate'], issuer: 'CN=clients', fingerprint: 'ab'.repeat(32) };
  const mtls = { mtls: { ca: 'ca.pem', roles: { operator: ['operate'] } } };

  it('may have a certificate instead, and not both', async () => {
    const check = checker({}, mtls);
    expect(await check(undefined, { ...PEER, certificate })).toEqual({ name: 'certificate:operate', kind: 'certificate', subject: 'operate', issuer: 'CN=clients', fingerprint: 'ab'.repeat(32), role: 'operator' });
    const refused = expect.objectContaining({ code: 'LB_API_UNAUTHENTICATED' }) as Error;
    await expect(check(`Bearer ${await provider.token()}`, { ...PEER, certificate })).rejects.toThrow(refused);
    await expect(check(undefined, PEER)).rejects.toThrow(refused);
    await expect(check('Basic YWRhOnNlY3JldA==', PEER)).rejects.toThrow(refused);
    await expect(check(`Bearer ${await provider.token()}, Bearer ${await provider.token()}`, PEER)).rejects.toThrow(refused);
    await expect(check(undefined, { ...PEER, certificate: { ...certificate, commonNames: ['operate', 'other'] } })).rejects.toThrow(refused);
    // Where certificates are not configured, one that some proxy asked for counts for nothing.
    await expect(checker()(undefined, { ...PEER, certificate })).rejects.toThrow(refused);
  });
});

describe('the claim with the roles', () => {
  it('is a list or a text, at a path or of a name with dots in it', () => {
    expect(claimValues({ roles: ['a', 1, 'b'] }, 'roles')).toEqual(['a', 'b']);
    expect(claimValues({ scope: ' a  b ' }, 'scope')).toEqual(['a', 'b']);
    expect(claimValues({ 'https://lifeboat/roles': ['a'] }, 'https://lifeboat/roles')).toEqual(['a']);
    expect(claimValues({ a: { b: { c: ['x'] } } }, 'a.b.c')).toEqual(['x']);
    for (const claims of [{}, { a: null }, { a: 1 }, { a: { c: ['x'] } }, { a: ['b'] }]) expect(claimValues(claims, 'a.b')).toEqual([]);
    expect(claimValues({}, 'constructor.name')).toEqual([]);
  });
});
