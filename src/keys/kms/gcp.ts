import { z } from 'zod';
import type { KmsKey } from './address.ts';
import { callKms } from './call.ts';
import { kmsError, systemCode } from './errors.ts';
import type { KmsErrorCode } from './errors.ts';
import { contextBytes } from './provider.ts';
import type { KmsOptions, KmsProvider, Wrapped } from './provider.ts';
import { inWords, readAnswer, requestJson } from './rest.ts';
import type { RestAnswer } from './rest.ts';

/** Loads the library that finds credentials, and nothing that speaks to KMS: three requests need no SDK. */
const loadAuth = () => import('google-auth-library');
type Auth = InstanceType<Awaited<ReturnType<typeof loadAuth>>['GoogleAuth']>;

const ENDPOINT = 'https://cloudkms.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/cloudkms';

const encrypted = z.object({ name: z.string(), ciphertext: z.base64() });
const decrypted = z.object({ plaintext: z.base64() });
const failure = z.object({ error: z.object({ status: z.string(), message: z.string() }) });

/**
 * A symmetric key of Google Cloud KMS, by its REST interface (v1, `cryptoKeys.encrypt` and `.decrypt`). Credentials are the
 * application default ones: GOOGLE_APPLICATION_CREDENTIALS, gcloud, workload identity, the metadata server.
 */
export function openGcpKms(key: KmsKey, options: KmsOptions): KmsProvider {
  let auth: Promise<Auth> | undefined;
  const call = async (operation: string, body: object, signal: AbortSignal): Promise<unknown> => {
    // Without the project the library looks for one, which takes seconds outside Google's cloud.
    auth ??= loadAuth().then(({ GoogleAuth }) => new GoogleAuth({ scopes: SCOPE, projectId: key.name.split('/')[1] ?? '' }));
    const token = await accessToken(await auth, key);
    const url = `${options.endpoint?.replace(/\/+$/, '') ?? ENDPOINT}/v1/${key.name}:${operation}`;
    return expectOk(key, operation, await requestJson(key, url, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body }, signal));
  };
  return {
    key,

    wrap(plaintext, context, signal): Promise<Wrapped> {
      return callKms(key, signal, async (deadline) => {
        const body = { plaintext: base64(plaintext), additionalAuthenticatedData: base64(contextBytes(context)) };
        const { name, ciphertext } = readAnswer(key, encrypted, await call('encrypt', body, deadline));
        const version = /\/cryptoKeyVersions\/(\d+)$/.exec(name)?.[1];
        if (version === undefined) throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'it names no version of the key' });
        return { version, bytes: Buffer.from(ciphertext, 'base64') };
      });
    },

    unwrap({ bytes }, context, signal): Promise<Uint8Array> {
      return callKms(key, signal, async (deadline) => {
        const body = { ciphertext: base64(bytes), additionalAuthenticatedData: base64(contextBytes(context)) };
        const { plaintext } = readAnswer(key, decrypted, await call('decrypt', body, deadline));
        return Buffer.from(plaintext, 'base64');
      });
    },
  };
}

const NO_CREDENTIALS = 'Set GOOGLE_APPLICATION_CREDENTIALS, or log in: `gcloud auth application-default login`.';
const RIGHTS = 'Grant roles/cloudkms.cryptoKeyEncrypter on the key to add and rotate slots, roles/cloudkms.cryptoKeyDecrypter to open them.';

async function accessToken(auth: Auth, key: KmsKey): Promise<string> {
  try {
    const token = await auth.getAccessToken();
    if (typeof token === 'string') return token;
  } catch (error) {
    // What the library throws may quote what it sent: only that there was no token is said.
    const code = systemCode(error);
    const unreachable = code !== undefined && /^E[A-Z]+$/.test(code);
    if (unreachable) throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: `no access token: ${code}` });
  }
  throw kmsError('LB_KEY_ACCESS', key, { reason: 'there are no credentials that give an access token', hint: NO_CREDENTIALS });
}

/** The body of an answer that says that all went well. */
function expectOk(key: KmsKey, operation: string, { status, body }: RestAnswer): unknown {
  if (status === 200 && body !== undefined) return body;
  const said = failure.safeParse(body).data?.error;
  const code = codeOf(operation, status, said?.status);
  const hint = code === 'LB_KEY_ACCESS' ? RIGHTS : undefined;
  throw kmsError(code, key, { reason: inWords(said === undefined ? `HTTP ${status}` : `${said.status}: ${said.message}`), hint });
}

/** By the status names of google.rpc.Code. */
function codeOf(operation: string, status: number, name: string | undefined): KmsErrorCode {
  if (status === 401 || status === 403) return 'LB_KEY_ACCESS';
  if (status === 404) return 'LB_KEY_GONE';
  if (name === 'FAILED_PRECONDITION') return 'LB_KEY_DISABLED';
  if (name === 'INVALID_ARGUMENT') return operation === 'decrypt' ? 'LB_KEY_WRONG' : 'LB_KEY_INVALID';
  return 'LB_KEY_UNAVAILABLE';
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
