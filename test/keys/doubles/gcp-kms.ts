import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { serveDouble } from './http.ts';
import type { DoubleAnswer, DoubleServer } from './http.ts';

/**
 * A double of Google Cloud KMS, as far as `cryptoKeys.encrypt` and `.decrypt` go (REST, v1), and of the token exchange of
 * workload identity federation. Written from the reference of both; it is not the service, and proves nothing of it.
 */
export interface GcpKmsDouble extends DoubleServer {
  /** `projects/…/cryptoKeys/…`. */
  createKey(): string;
  rotate(key: string): void;
  /** Disables a version, by default every one. */
  disable(key: string, version?: number): void;
  remove(key: string): void;
  /** Takes the key's permissions from everybody, or gives them back. */
  permit(key: string, allowed: boolean): void;
  /** Contents of a credentials file for workload identity federation, with the token in `subjectTokenFile`. */
  credentials(subjectTokenFile: string): object;
}

interface Key {
  readonly versions: { readonly secret: Buffer; disabled: boolean }[];
  permitted: boolean;
}

/** What a subject token must be for the exchange. */
export const SUBJECT_TOKEN = 'a-subject-token';

const bodySchema = z.object({ plaintext: z.base64().optional(), ciphertext: z.base64().optional(), additionalAuthenticatedData: z.base64().optional() });

const refusal = (status: number, name: string, message: string): DoubleAnswer => ({ status, body: { error: { code: status, status: name, message } } });

export async function startGcpKmsDouble(): Promise<GcpKmsDouble> {
  const keys = new Map<string, Key>();
  const accessToken = randomBytes(12).toString('hex');

  const exchange = (body: string): DoubleAnswer => {
    if (new URLSearchParams(body).get('subject_token') !== SUBJECT_TOKEN) return { status: 401, body: { error: 'invalid_grant', error_description: 'no' } };
    const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token';
    return { status: 200, body: { access_token: accessToken, issued_token_type, token_type: 'Bearer', expires_in: 3600 } };
  };

  const encrypt = (name: string, { versions }: Key, plaintext: string, aad: Buffer): DoubleAnswer => {
    const version = versions.at(-1);
    if (version === undefined || version.disabled) return refusal(400, 'FAILED_PRECONDITION', `${name} is not enabled, current state is: DISABLED.`);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', version.secret, nonce).setAAD(aad);
    const sealed = Buffer.concat([Buffer.from([versions.length]), nonce, cipher.update(Buffer.from(plaintext, 'base64')), cipher.final(), cipher.getAuthTag()]);
    return { status: 200, body: { name: `${name}/cryptoKeyVersions/${versions.length}`, ciphertext: sealed.toString('base64') } };
  };

  const decrypt = (name: string, { versions }: Key, ciphertext: string, aad: Buffer): DoubleAnswer => {
    const sealed = Buffer.from(ciphertext, 'base64');
    const invalid = refusal(400, 'INVALID_ARGUMENT', 'Decryption failed: the ciphertext is invalid.');
    const version = versions[(sealed[0] ?? 0) - 1];
    if (version === undefined) return invalid;
    if (version.disabled) return refusal(400, 'FAILED_PRECONDITION', `${name} is not enabled, current state is: DISABLED.`);
    try {
      const decipher = createDecipheriv('aes-256-gcm', version.secret, sealed.subarray(1, 13)).setAAD(aad).setAuthTag(sealed.subarray(-16));
      const plaintext = Buffer.concat([decipher.update(sealed.subarray(13, -16)), decipher.final()]);
      return { status: 200, body: { plaintext: plaintext.toString('base64') } };
    } catch {
      return invalid;
    }
  };

  const server = await serveDouble((request, text) => {
    if (request.url === '/v1/token') return exchange(text);
    const [, name = '', operation] = /^\/v1\/(projects\/.*):(encrypt|decrypt)$/.exec(request.url ?? '') ?? [];
    if (request.headers.authorization !== `Bearer ${accessToken}`) return refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    const key = keys.get(name);
    if (key === undefined) return refusal(404, 'NOT_FOUND', `CryptoKey ${name} not found.`);
    if (!key.permitted) return refusal(403, 'PERMISSION_DENIED', `Permission 'cloudkms.cryptoKeyVersions.useTo${operation === 'encrypt' ? 'Encrypt' : 'Decrypt'}' denied on resource '${name}'.`);
    const { plaintext = '', ciphertext = '', additionalAuthenticatedData = '' } = bodySchema.parse(JSON.parse(text));
    const aad = Buffer.from(additionalAuthenticatedData, 'base64');
    return operation === 'encrypt' ? encrypt(name, key, plaintext, aad) : decrypt(name, key, ciphertext, aad);
  });

  const keyOf = (name: string): Key => {
    const key = keys.get(name);
    if (key === undefined) throw new Error(`the double has no key ${name}`);
    return key;
  };
  return {
    ...server,
    createKey() {
      const name = `projects/acme/locations/europe-west3/keyRings/lifeboat/cryptoKeys/key-${randomBytes(6).toString('hex')}`;
      keys.set(name, { versions: [{ secret: randomBytes(32), disabled: false }], permitted: true });
      return name;
    },
    rotate: (name) => void keyOf(name).versions.push({ secret: randomBytes(32), disabled: false }),
    disable(name, version) {
      for (const [i, one] of keyOf(name).versions.entries()) if (version === undefined || i + 1 === version) one.disabled = true;
    },
    remove: (name) => void keys.delete(name),
    permit(name, allowed) {
      keyOf(name).permitted = allowed;
    },
    credentials: (subjectTokenFile) => ({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${server.address}/v1/token`,
      credential_source: { file: subjectTokenFile },
    }),
  };
}
