import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { bits, boolean, explicit, implicit, octets, oid, sequence, setOf, unsigned, utcTime, utf8 } from './der.ts';

/** A certificate and its private key, both as PEM. */
export interface Credential {
  readonly certificate: string;
  readonly key: string;
}

/** Whom a certificate is for, and for what. */
export interface Subject {
  /** A client's user name, as Kubernetes takes it from the certificate. */
  readonly commonName: string;
  /** A client's groups. */
  readonly organizations?: readonly string[];
  readonly usage: 'server' | 'client' | 'both';
  /** A server's names. */
  readonly dnsNames?: readonly string[];
  /** A server's IPv4 addresses. */
  readonly addresses?: readonly string[];
}

/** A certificate authority: whoever trusts its certificate trusts what it issues. */
export interface Authority extends Credential {
  issue(subject: Subject): Credential;
}

// Object identifiers: RFC 5280 (names, extensions, key purposes), RFC 5758 (ecdsa-with-SHA256).
const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const HOUR_MS = 3600 * 1000;
const VALID_MS = 365 * 24 * HOUR_MS;

interface Key {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly identifier: Buffer;
}

/** A new authority with a P-256 key, valid for a year. */
export function createAuthority(commonName: string): Authority {
  const own = createKey();
  const name = distinguishedName(commonName, []);
  const certificate = createCertificate({ subject: name, key: own, issuer: name, issuerKey: own }, [
    extension(OID.basicConstraints, sequence(boolean(true)), true),
    // digitalSignature, keyCertSign, cRLSign
    extension(OID.keyUsage, bits(Buffer.from([0b1000_0110]), 1), true),
  ]);
  const issue = (subject: Subject): Credential => {
    const key = createKey();
    const fields = {
      subject: distinguishedName(subject.commonName, subject.organizations ?? []),
      key,
      issuer: name,
      issuerKey: own,
    };
    return { certificate: createCertificate(fields, usageExtensions(subject)), key: privatePem(key) };
  };
  return { certificate, key: privatePem(own), issue };
}

function usageExtensions(subject: Subject): Buffer[] {
  const purposes = { server: [OID.serverAuth], client: [OID.clientAuth], both: [OID.serverAuth, OID.clientAuth] };
  const names = [
    ...(subject.dnsNames ?? []).map((dnsName) => implicit(2, Buffer.from(dnsName))),
    ...(subject.addresses ?? []).map((address) => implicit(7, Buffer.from(address.split('.').map(Number)))),
  ];
  const extensions = [
    // digitalSignature
    extension(OID.keyUsage, bits(Buffer.from([0b1000_0000]), 7), true),
    extension(OID.extendedKeyUsage, sequence(...purposes[subject.usage].map(oid))),
  ];
  if (names.length > 0) extensions.push(extension(OID.subjectAltName, sequence(...names)));
  return extensions;
}

function createKey(): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  // RFC 7093, method 4: a hash of the key, cut to 160 bits.
  const identifier = createHash('sha256').update(spki).digest().subarray(0, 20);
  return { privateKey, spki, identifier };
}

interface Fields {
  readonly subject: Buffer;
  readonly key: Key;
  readonly issuer: Buffer;
  readonly issuerKey: Key;
}

/** A certificate of version 3 (RFC 5280, 4.1), as PEM. */
function createCertificate({ subject, key, issuer, issuerKey }: Fields, extensions: readonly Buffer[]): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const now = Date.now();
  // A clock that is a little behind must not find it not yet valid.
  const validity = sequence(utcTime(new Date(now - HOUR_MS)), utcTime(new Date(now + VALID_MS)));
  const serial = randomBytes(16);
  // A serial number is positive and does not begin with a byte of zeros.
  serial[0] = 0x40 | (serial[0] ?? 0);
  const toBeSigned = sequence(
    explicit(0, unsigned(Buffer.from([2]))),
    unsigned(serial),
    algorithm,
    issuer,
    validity,
    subject,
    key.spki,
    explicit(
      3,
      sequence(
        ...extensions,
        extension(OID.subjectKeyIdentifier, octets(key.identifier)),
        extension(OID.authorityKeyIdentifier, sequence(implicit(0, issuerKey.identifier))),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, issuerKey.privateKey);
  return pem('CERTIFICATE', sequence(toBeSigned, algorithm, bits(signature)));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (id: string, value: string): Buffer => setOf(sequence(oid(id), utf8(value)));
  return sequence(
    ...organizations.map((organization) => attribute(OID.organization, organization)),
    attribute(OID.commonName, commonName),
  );
}

function privatePem(key: Key): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
