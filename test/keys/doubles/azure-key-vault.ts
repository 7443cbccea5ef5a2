import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { serveDouble } from './http.ts';
import type { DoubleAnswer, DoubleServer } from './http.ts';

/**
 * A double of Azure Key Vault, as far as reading a key, `wrapkey` and `unwrapkey` go (REST, data plane), with the
 * challenge that comes before a token. Written from the reference; it is not the service, and proves nothing of it.
 */
export interface AzureKeyVaultDouble extends DoubleServer {
  /** The name of a new RSA key. */
  createKey(): string;
  rotate(key: string): void;
  /** Disables every version there is. */
  disable(key: string): void;
  remove(key: string): void;
  /** Takes the key's permissions from everybody, or gives them back. */
  permit(key: string, allowed: boolean): void;
  /** What a credential must give for the challenged resource. */
  readonly token: string;
}

interface Version {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  enabled: boolean;
}

interface Key {
  readonly versions: Version[];
  permitted: boolean;
}

const bodySchema = z.object({ alg: z.literal('RSA-OAEP-256'), value: z.base64url() });
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

const refusal = (status: number, code: string, message: string, inner?: string): DoubleAnswer => ({
  status,
  body: { error: { code, message, ...(inner !== undefined && { innererror: { code: inner } }) } },
});

/** `host` is what the double is reached as: keys are named by it. */
export async function startAzureKeyVaultDouble(host: () => string): Promise<AzureKeyVaultDouble> {
  const keys = new Map<string, Key>();
  const token = randomBytes(12).toString('hex');
  const newVersion = (): Version => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }), id: randomBytes(16).toString('hex'), enabled: true });

  const describe = (name: string, version: Version): DoubleAnswer => {
    const jwk = version.publicKey.export({ format: 'jwk' });
    return {
      status: 200,
      body: {
        key: { kid: `https://${host()}/keys/${name}/${version.id}`, kty: 'RSA', key_ops: ['wrapKey', 'unwrapKey'], n: jwk.n, e: jwk.e },
        attributes: { enabled: version.enabled, created: 1_700_000_000, updated: 1_700_000_000, recoveryLevel: 'Recoverable' },
      },
    };
  };

  const use = (name: string, version: Version, operation: string, text: string): DoubleAnswer => {
    if (!version.enabled) return refusal(403, 'Forbidden', 'Operation is not allowed on a disabled key.', 'KeyDisabled');
    const value = Buffer.from(bodySchema.parse(JSON.parse(text)).value, 'base64url');
    try {
      const result = operation === 'wrapkey' ? publicEncrypt({ key: version.publicKey, ...OAEP }, value) : privateDecrypt({ key: version.privateKey, ...OAEP }, value);
      return { status: 200, body: { kid: `https://${host()}/keys/${name}/${version.id}`, value: result.toString('base64url') } };
    } catch {
      return refusal(400, 'BadParameter', 'The parameter is incorrect.');
    }
  };

  const server = await serveDouble((request, text) => {
    const challenge = { 'www-authenticate': 'Bearer authorization="https://login.microsoftonline.com/acme", resource="https://vault.azure.net"' };
    if (request.headers.authorization !== `Bearer ${token}`) return { ...refusal(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.'), headers: challenge };
    const [, , name = '', id = '', operation = ''] = new URL(request.url ?? '', 'https://double').pathname.split('/');
    const key = keys.get(name);
    const version = id === '' ? key?.versions.at(-1) : key?.versions.find((one) => one.id === id);
    if (key === undefined || version === undefined) return refusal(404, 'KeyNotFound', `A key with (name/id) ${name}/${id} was not found in this key vault.`);
    if (!key.permitted) return refusal(403, 'Forbidden', 'Caller is not authorized to perform action on resource.', 'ForbiddenByRbac');
    return operation === '' ? describe(name, version) : use(name, version, operation, text);
  });

  const keyOf = (name: string): Key => {
    const key = keys.get(name);
    if (key === undefined) throw new Error(`the double has no key ${name}`);
    return key;
  };
  return {
    ...server,
    token,
    createKey() {
      const name = `key-${randomBytes(6).toString('hex')}`;
      keys.set(name, { versions: [newVersion()], permitted: true });
      return name;
    },
    rotate: (name) => void keyOf(name).versions.push(newVersion()),
    disable(name) {
      for (const version of keyOf(name).versions) version.enabled = false;
    },
    remove: (name) => void keys.delete(name),
    permit(name, allowed) {
      keyOf(name).permitted = allowed;
    },
  };
}
