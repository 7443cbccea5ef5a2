import type { ServerConfig } from '../../config/service-schema.ts';
import type { Clock } from '../../core/clock.ts';
import { LifeboatError } from '../../core/errors.ts';
import { principalName, roleOf } from './principal.ts';
import type { Principal } from './principal.ts';
import { TokenChecker } from './oidc.ts';

/** A client certificate that was checked, when the connection was made, to be issued by `server.mtls.ca`. */
export interface PeerCertificate {
  /** The common names of its subject. */
  readonly commonNames: readonly string[];
  /** Its issuer, for people. */
  readonly issuer: string;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
}

/** Who is at the other end of the connection. */
export interface Peer {
  /** Its address; `unknown` where that cannot be told. */
  readonly address: string;
  /** Only one that was checked. */
  readonly certificate?: PeerCertificate;
}

/**
 * Tells who asks. Throws `LB_API_UNAUTHENTICATED` when that cannot be told, `LB_API_UNAVAILABLE` when what is needed to tell does not answer.
 */
export type Authenticate = (authorization: string | undefined, peer: Peer) => Promise<Principal>;

const BEARER = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** Accepts what the configuration names: tokens, client certificates, or both; but one of them, not two at once. `cooldown`: how often the provider is asked for new keys at most, ms. */
export function authenticator(config: ServerConfig, clock: Pick<Clock, 'now'>, cooldown?: number): Authenticate {
  const { oidc, mtls } = config;
  const tokens = oidc && new TokenChecker(oidc, clock, cooldown);
  const kinds = [...(oidc === undefined ? [] : ['a token (`Authorization: Bearer …`)']), ...(mtls === undefined ? [] : ['a client certificate'])].join(' or ');
  return async (authorization, { certificate }) => {
    const withCertificate = mtls !== undefined && certificate !== undefined;
    if (authorization !== undefined && withCertificate) throw refused('There is a token and a client certificate: whose rights are meant?', 'Send one of them.');
    if (withCertificate) return ofCertificate(certificate, mtls);
    if (authorization === undefined) throw refused('Nothing says who is asking', `Send ${kinds}.`);
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined || tokens === undefined) throw refused('The credential is of a kind that this server does not take', `Send ${kinds}.`);
    return tokens.check(token);
  };
}

function ofCertificate({ commonNames, fingerprint, issuer }: PeerCertificate, mtls: NonNullable<ServerConfig['mtls']>): Principal {
  const [subject] = commonNames;
  if (subject === undefined || commonNames.length !== 1) throw refused('The certificate does not have exactly one common name', 'Use a certificate with one.');
  return { name: principalName('certificate', subject), kind: 'certificate', subject, issuer, fingerprint, role: roleOf([subject], mtls.roles) };
}

function refused(message: string, hint: string): LifeboatError {
  return new LifeboatError('LB_API_UNAUTHENTICATED', message, { hint });
}
