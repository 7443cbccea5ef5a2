import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';

/** Stands for an OpenID Connect provider: it publishes its keys, and signs whatever a test wants. The signatures are real. */
export interface Issuer extends AsyncDisposable {
  readonly address: string;
  /** How often its keys were asked for. */
  readonly asked: () => number;
  token(claims?: JWTPayload, options?: { readonly key?: 'other'; readonly expires?: string }): Promise<string>;
}

export async function startIssuer(): Promise<Issuer> {
  const [own, other] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
  let asked = 0;
  const server = createServer((request, response) => {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    response.setHeader('content-type', 'application/json');
    if (request.url === '/.well-known/openid-configuration') response.end(JSON.stringify({ issuer: address, jwks_uri: `${address}/keys` }));
    else if (request.url === '/keys') {
      asked += 1;
      response.end(JSON.stringify({ keys: [jwk] }));
    } else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    asked: () => asked,
    token: (claims = {}, { key, expires = '5m' } = {}) =>
      new SignJWT({ roles: ['sre'], ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(claims.iss ?? address)
        .setAudience(claims.aud ?? 'lifeboat')
        .setSubject(claims.sub ?? 'ada')
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(key === 'other' ? other.privateKey : own.privateKey),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
