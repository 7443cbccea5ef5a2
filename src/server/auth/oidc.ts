import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload, RemoteJWKSet } from 'jose';
import { z } from 'zod';
import type { ServerConfig } from '../../config/service-schema.ts';
import type { Clock } from '../../core/clock.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import { principalName, roleOf } from './principal.ts';
import type { Principal } from './principal.ts';

export type OidcConfig = NonNullable<ServerConfig['oidc']>;

/** Only signatures that whoever checks them cannot make: never `none`, never HMAC. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** How far the clocks of the provider and of this machine may be apart, s. */
const CLOCK_TOLERANCE = 30;
/** How long the provider may take to answer, ms. */
const PATIENCE = 5000;
/** How often at most it is asked again: for keys that it did not have, and after it failed, ms. */
const COOLDOWN = 10_000;
/** Longer tokens are not looked at. Groups of large companies make tokens of some kilobytes. */
const LONGEST_TOKEN = 16_384;
/** The answer to discovery is a few kilobytes. */
const LARGEST_DISCOVERY = 256 * 1024;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/** Checks tokens of an OpenID Connect provider. */
export class TokenChecker {
  readonly #config: OidcConfig;
  readonly #clock: Pick<Clock, 'now'>;
  /** ms. */
  readonly #cooldown: number;
  #keys: Promise<RemoteJWKSet> | undefined;
  #failedAt = -Infinity;

  constructor(config: OidcConfig, clock: Pick<Clock, 'now'>, cooldown = COOLDOWN) {
    this.#config = config;
    this.#clock = clock;
    this.#cooldown = cooldown;
  }

  /**
   * Who a token names. Throws `LB_API_UNAUTHENTICATED` when it is not one of the provider's, for this server, and of now;
   * `LB_API_UNAVAILABLE` when the provider's keys cannot be had.
   */
  async check(token: string): Promise<Principal> {
    if (token.length > LONGEST_TOKEN) throw refused('The token is too long');
    const { audience, issuer, roles, rolesClaim = 'roles' } = this.#config;
    const keys = await this.#keySet();
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(this.#clock.now()),
      });
      const subject = payload.sub ?? '';
      if (subject === '') throw refused('The token names nobody');
      return { name: principalName('token', subject), kind: 'token', subject, issuer, role: roleOf(claimValues(payload, rolesClaim), roles) };
    } catch (error) {
      throw asRefusal(error);
    }
  }

  async #keySet(): Promise<RemoteJWKSet> {
    if (this.#keys === undefined && this.#clock.now() - this.#failedAt < this.#cooldown) throw unavailable('it failed a moment ago');
    this.#keys ??= this.#discover().catch((error: unknown) => {
      this.#keys = undefined;
      this.#failedAt = this.#clock.now();
      throw error;
    });
    return this.#keys;
  }

  async #discover(): Promise<RemoteJWKSet> {
    const { issuer, jwksUri } = this.#config;
    const uri = jwksUri ?? (await readDiscovery(issuer));
    return createRemoteJWKSet(new URL(uri), { timeoutDuration: PATIENCE, cooldownDuration: this.#cooldown });
  }
}

/** Where the provider says that its keys are. Throws `LB_API_UNAVAILABLE`. */
async function readDiscovery(issuer: string): Promise<string> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(PATIENCE), headers: { accept: 'application/json' } });
    if (!response.ok) throw new Error(`it answered with ${response.status}`);
    const text = await response.text();
    if (text.length > LARGEST_DISCOVERY) throw new Error('its answer is too long');
    const found = discoverySchema.parse(JSON.parse(text));
    // OpenID Connect Discovery 1.0, section 4.3: they must be equal, or one provider could speak for another.
    if (found.issuer !== issuer) throw new Error(`it calls itself ${found.issuer}`);
    if (issuer.startsWith('https:') && !found.jwks_uri.startsWith('https:')) throw new Error('its keys are not behind TLS');
    return found.jwks_uri;
  } catch (error) {
    throw unavailable(error instanceof z.ZodError ? 'its answer is something else' : messageOf(error), address, error);
  }
}

/** The values of a claim: dots lead into objects, unless there is a claim of the whole name. A text is split at white space. */
export function claimValues(payload: JWTPayload, path: string): readonly string[] {
  const whole: unknown = Object.hasOwn(payload, path) ? payload[path] : undefined;
  const value = whole ?? path.split('.').reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), payload);
  if (typeof value === 'string') return value.split(/\s+/).filter((part) => part !== '');
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What jose throws, without anything of the token. */
function asRefusal(error: unknown): LifeboatError {
  if (error instanceof LifeboatError) return error;
  if (error instanceof errors.JWTExpired) return refused('The token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) return refused(`The token is not for this server, or not of now: its \`${error.claim}\` does not fit`);
  if (error instanceof errors.JOSEAlgNotAllowed) return refused('The token is signed in a way that is not accepted');
  if (error instanceof errors.JWKSMultipleMatchingKeys) return refused('The token does not say which key signed it');
  if (error instanceof errors.JWKSNoMatchingKey) return refused('The token is signed with a key that the provider does not have');
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused('The signature of the token does not match');
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid || error instanceof errors.JOSENotSupported || error instanceof errors.JWKInvalid) return refused('The token is malformed');
  return unavailable(messageOf(error), undefined, error);
}

function refused(message: string): LifeboatError {
  return new LifeboatError('LB_API_UNAUTHENTICATED', message, { hint: 'Get a new token from the provider that the server is configured with.' });
}

function unavailable(why: string, where?: string, cause?: unknown): LifeboatError {
  return new LifeboatError('LB_API_UNAVAILABLE', `The keys of the OpenID Connect provider cannot be had: ${why}`, {
    ...(where !== undefined && { where }),
    hint: 'Look whether the provider answers from where the server runs, and whether `server.oidc.issuer` is what it calls itself.',
    cause,
  });
}
