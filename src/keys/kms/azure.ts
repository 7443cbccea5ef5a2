import type { KmsKey } from './address.ts';
import { callKms } from './call.ts';
import { connectionError, kmsError } from './errors.ts';
import type { KmsErrorCode } from './errors.ts';
import type { KmsProvider, Wrapped } from './provider.ts';
import { inWords } from './rest.ts';

/** Loads the SDKs: much code, that only who uses such a key is to load. */
const loadKeys = () => import('@azure/keyvault-keys');
const loadIdentity = () => import('@azure/identity');
type Sdk = Awaited<ReturnType<typeof loadKeys>>;
/** What gives tokens. */
type TokenCredential = ConstructorParameters<Sdk['KeyClient']>[1];

/** An RSA key, 2048 bits and more, holds what is wrapped; the service has no associated data for it. */
const ALGORITHM = 'RSA-OAEP-256';

/**
 * An RSA key of Azure Key Vault. Credentials are those `DefaultAzureCredential` finds: AZURE_* environment variables,
 * workload identity, managed identity, the Azure command line. What binds the wrapped key to repository and role is in the
 * plaintext alone (stanza.ts), since RSA-OAEP there takes no context.
 */
export function openAzureKeyVault(key: KmsKey, credential?: TokenCredential): KmsProvider {
  let loaded: Promise<{ readonly sdk: Sdk; readonly credential: TokenCredential }> | undefined;
  const load = async (): Promise<{ readonly sdk: Sdk; readonly credential: TokenCredential }> => {
    const sdk = await loadKeys();
    return { sdk, credential: credential ?? new (await loadIdentity()).DefaultAzureCredential() };
  };
  const call = <T>(signal: AbortSignal | undefined, send: (sdk: Sdk, credential: TokenCredential, signal: AbortSignal) => Promise<T>): Promise<T> =>
    callKms(key, signal, async (deadline) => {
      const ready = await (loaded ??= load());
      try {
        return await send(ready.sdk, ready.credential, deadline);
      } catch (error) {
        throw azureError(error, key);
      }
    });
  return {
    key,

    wrap(plaintext, _context, signal): Promise<Wrapped> {
      return call(signal, async (sdk, token, abortSignal) => {
        const { vault, name } = placeOf(key);
        const { properties, keyType } = await new sdk.KeyClient(vault, token, NO_RETRY).getKey(name, { abortSignal });
        if (keyType?.startsWith('RSA') !== true) throw kmsError('LB_KEY_INVALID', key, { reason: keyType });
        const version = properties.version ?? '';
        const { result } = await operations(sdk, key, version, token).wrapKey(ALGORITHM, plaintext, { abortSignal });
        return { version, bytes: asBytes(key, result) };
      });
    },

    unwrap({ version, bytes }, _context, signal): Promise<Uint8Array> {
      return call(signal, async (sdk, token, abortSignal) => {
        const { result } = await operations(sdk, key, version, token).unwrapKey(ALGORITHM, bytes, { abortSignal });
        return asBytes(key, result);
      });
    },
  };
}

/** The SDK hands on what it could not read, as `undefined`. */
function asBytes(key: KmsKey, result: unknown): Uint8Array {
  if (result instanceof Uint8Array) return result;
  throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'its answer is not that of such a service' });
}

/** `callKms` tries again. */
const NO_RETRY = { retryOptions: { maxRetries: 0 } };

function placeOf(key: KmsKey): { readonly vault: string; readonly name: string } {
  const url = new URL(key.name);
  return { vault: url.origin, name: url.pathname.split('/')[2] ?? '' };
}

/**
 * A client for one version of the key. It is told of the key, and no more, instead of asking for it: so opening needs no
 * right to read keys, and it is the service that decides whether an expired key may still open.
 */
function operations(sdk: Sdk, key: KmsKey, version: string, credential: TokenCredential): InstanceType<Sdk['CryptographyClient']> {
  const { vault, name } = placeOf(key);
  const id = `${key.name}/${version}`;
  return new sdk.CryptographyClient({ id, name, properties: { id, name, version, vaultUrl: vault } }, credential, NO_RETRY);
}

const RIGHTS =
  'Grant Key Vault Crypto User on the key, or the key permissions get and wrapKey to add and rotate slots and unwrapKey to open them.';
const NO_CREDENTIALS = 'Log in with `az login`, or set the AZURE_* variables of an application or a workload identity.';

function azureError(error: unknown, key: KmsKey): Error {
  const { name, status, code, message } = answerOf(error);
  if (CREDENTIAL_ERRORS.has(name)) {
    // What a credential throws may quote what it sent: only its name is said.
    return kmsError('LB_KEY_ACCESS', key, { reason: name, hint: NO_CREDENTIALS });
  }
  if (status === undefined) return connectionError(error, key);
  const meaning = codeOf(status, `${code} ${message}`);
  const hint = meaning === 'LB_KEY_ACCESS' ? RIGHTS : undefined;
  return kmsError(meaning, key, { reason: inWords(`${code || 'HTTP'} ${status}`), hint, cause: error });
}

const CREDENTIAL_ERRORS: ReadonlySet<string> = new Set([
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
]);

/** By status; a disabled or expired key is refused like a missing right, and told apart by the words of the answer. */
function codeOf(status: number, said: string): KmsErrorCode {
  if (status === 401 || status === 403) return /KeyDisabled|disabled|not enabled|expired|not yet valid/i.test(said) ? 'LB_KEY_DISABLED' : 'LB_KEY_ACCESS';
  if (status === 404) return 'LB_KEY_GONE';
  return status === 400 ? 'LB_KEY_WRONG' : 'LB_KEY_UNAVAILABLE';
}

function answerOf(error: unknown): { readonly name: string; readonly status: number | undefined; readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { name: '', status: undefined, code: '', message: '' };
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { name: error.name, status, code, message: error.message };
}
