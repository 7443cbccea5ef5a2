import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

interface ProviderKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** How a token differs from a good one. */
export interface TokenChoices {
  readonly subject?: string;
  readonly claims?: JWTPayload;
  readonly issuer?: string;
  readonly audience?: string;
  /** Seconds from now. */
  readonly expires?: number;
  readonly notBefore?: number;
  /** False: without `kid`. */
  readonly named?: boolean;
}

/** A double of an OpenID Connect provider: real keys, real discovery and key set over HTTP on loopback, and no people. */
export class OidcProviderDouble {
  readonly issuer: string;
  readonly audience = 'lifeboat';
  /** Requests for the key set. */
  asked = 0;
  /** What it calls itself in discovery. */
  calls: string | undefined;
  broken = false;
  #keys: ProviderKey[] = [];
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      const body = request.url === '/keys' ? { keys: this.#keys.map(({ jwk }) => jwk) } : { issuer: this.calls ?? this.issuer, jwks_uri: `${this.issuer}/keys` };
      if (request.url === '/keys') this.asked += 1;
      response.writeHead(this.broken ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  static async start(): Promise<OidcProviderDouble> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const provider = new OidcProviderDouble(server);
    await provider.rotate();
    return provider;
  }

  /** Signs with a new key from now on; with `keep`, the old ones are published still. */
  async rotate(options: { readonly keep?: boolean; readonly alg?: string } = {}): Promise<void> {
    const alg = options.alg ?? 'ES256';
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const kid = randomUUID();
    const key = { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
    this.#keys = options.keep === true ? [...this.#keys, key] : [key];
  }

  get publicKeys(): readonly JWK[] {
    return this.#keys.map(({ jwk }) => jwk);
  }

  async token(choices: TokenChoices = {}): Promise<string> {
    const key = this.#keys.at(-1);
    if (key === undefined) throw new Error('there is no key');
    const now = Math.floor(Date.now() / 1000);
    const token = new SignJWT({ ...choices.claims })
      .setProtectedHeader({ alg: key.jwk.alg ?? '', ...(choices.named !== false && { kid: key.kid }) })
      .setIssuedAt(now)
      .setIssuer(choices.issuer ?? this.issuer)
      .setAudience(choices.audience ?? this.audience)
      .setSubject(choices.subject ?? 'ada')
      .setExpirationTime(now + (choices.expires ?? 300));
    if (choices.notBefore !== undefined) token.setNotBefore(now + choices.notBefore);
    return token.sign(key.privateKey);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
