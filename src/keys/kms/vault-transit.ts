import { z } from 'zod';
import type { KmsKey } from './address.ts';
import { callKms } from './call.ts';
import { kmsError } from './errors.ts';
import type { KmsErrorCode } from './errors.ts';
import { contextBytes } from './provider.ts';
import type { KmsOptions, KmsProvider, Wrapped } from './provider.ts';
import { inWords, readAnswer, requestJson } from './rest.ts';
import type { RestAnswer } from './rest.ts';

const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:[A-Za-z0-9+/=]+$/) }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const keyType = z.object({ data: z.object({ type: z.string(), derived: z.boolean().optional() }) });
const failure = z.object({ errors: z.array(z.string()) });

/** Types of transit keys that bind a ciphertext to associated data. */
const AEAD = /^(?:aes\d+-gcm96|x?chacha20-poly1305)$/;

/**
 * A key of the transit engine of OpenBao or HashiCorp Vault, by plain HTTPS: both speak the same. The associated data says
 * which repository and which role, so the key must be of an AEAD type.
 */
export function openVaultTransit(key: KmsKey, options: KmsOptions): KmsProvider {
  const { engine, name } = placeOf(key);
  const request = async (method: 'GET' | 'POST', path: string, body: object | undefined, signal: AbortSignal): Promise<RestAnswer> => {
    const token = await options.token?.();
    if (token === undefined) throw kmsError('LB_KEY_ACCESS', key, { reason: 'there is no token', hint: NO_TOKEN });
    const headers = {
      // Asks a standby node to forward what it cannot answer itself.
      'x-vault-request': 'true',
      'x-vault-token': Buffer.from(token.expose()).toString(),
      ...(options.namespace !== undefined && { 'x-vault-namespace': options.namespace }),
    };
    return requestJson(key, `${engine}/${path}/${name}`, { method, headers, ...(body && { body }) }, signal);
  };
  return {
    key,

    wrap(plaintext, context, signal): Promise<Wrapped> {
      return callKms(key, signal, async (deadline) => {
        // To encrypt with a key that does not exist makes one, where the token permits it: a typing mistake would.
        const about = await request('GET', 'keys', undefined, deadline);
        if (about.status !== 403) checkType(key, expectOk(key, about));
        const body = { plaintext: base64(plaintext), associated_data: base64(contextBytes(context)) };
        const { ciphertext } = readAnswer(key, encrypted, expectOk(key, await request('POST', 'encrypt', body, deadline))).data;
        return { version: ciphertext.split(':')[1] ?? '', bytes: Buffer.from(ciphertext) };
      });
    },

    unwrap({ bytes }, context, signal): Promise<Uint8Array> {
      return callKms(key, signal, async (deadline) => {
        const body = { ciphertext: Buffer.from(bytes).toString('latin1'), associated_data: base64(contextBytes(context)) };
        const { plaintext } = readAnswer(key, decrypted, expectOk(key, await request('POST', 'decrypt', body, deadline))).data;
        return Buffer.from(plaintext, 'base64');
      });
    },
  };
}

const NO_TOKEN = 'Set VAULT_TOKEN or BAO_TOKEN, or name `tokenFile` or `tokenEnv` of the key in lifeboat.yaml.';
const POLICY = 'Let the token update ENGINE/encrypt/KEY to add and rotate slots, and ENGINE/decrypt/KEY to open them.';

/** `https://host/transit/key` is `/v1/transit/<operation>/key`. */
function placeOf(key: KmsKey): { readonly engine: string; readonly name: string } {
  const url = new URL(key.name);
  const segments = url.pathname.slice(1).split('/');
  return { engine: `${url.origin}/v1/${segments.slice(0, -1).join('/')}`, name: segments.at(-1) ?? '' };
}

function checkType(key: KmsKey, body: unknown): void {
  const { type, derived } = readAnswer(key, keyType, body).data;
  if (AEAD.test(type) && derived !== true) return;
  throw kmsError('LB_KEY_INVALID', key, {
    reason: derived === true ? 'a derived key' : type,
    hint: 'Make one of type aes256-gcm96, the default: `bao write -f transit/keys/NAME`.',
  });
}

/** The body of an answer that says that all went well. */
function expectOk(key: KmsKey, { status, body }: RestAnswer): unknown {
  if (status === 200 && body !== undefined) return body;
  const said = failure.safeParse(body).data?.errors.join(', ');
  const code = codeOf(status, said ?? '');
  const hint = code === 'LB_KEY_ACCESS' ? POLICY : undefined;
  throw kmsError(code, key, { reason: inWords(said === undefined || said === '' ? `HTTP ${status}` : `${said} (HTTP ${status})`), hint });
}

/** By status, and where it says too little by the words of OpenBao 2 and Vault 1, as observed. */
function codeOf(status: number, said: string): KmsErrorCode {
  if (status === 403) return 'LB_KEY_ACCESS';
  if (status === 404 || /key not found/i.test(said)) return 'LB_KEY_GONE';
  if (status !== 400) return 'LB_KEY_UNAVAILABLE';
  return /disallowed by policy|too old|soft-deleted/i.test(said) ? 'LB_KEY_DISABLED' : 'LB_KEY_WRONG';
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
