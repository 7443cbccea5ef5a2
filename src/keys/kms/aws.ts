import type { KmsKey } from './address.ts';
import { callKms } from './call.ts';
import { connectionError, kmsError } from './errors.ts';
import type { KmsErrorCode } from './errors.ts';
import type { KmsOptions, KmsProvider, SlotContext, Wrapped } from './provider.ts';

/** Loads the SDK: much code, that only who uses such a key is to load. */
const loadSdk = () => import('@aws-sdk/client-kms');
type Sdk = Awaited<ReturnType<typeof loadSdk>>;
type Client = InstanceType<Sdk['KMSClient']>;

const CONNECT_MS = 10_000;

/**
 * A symmetric key of AWS KMS. Credentials are those the AWS SDK finds, or those of a profile. The encryption context says
 * which repository and which role, so that a key policy can permit one and not another (docs/keys.md).
 */
export function openAwsKms(key: KmsKey, options: KmsOptions): KmsProvider {
  let client: Promise<{ readonly sdk: Sdk; readonly client: Client }> | undefined;
  const load = (): Promise<{ readonly sdk: Sdk; readonly client: Client }> => (client ??= newClient(key, options));
  const call = <T>(signal: AbortSignal | undefined, send: (sdk: Sdk, client: Client, signal: AbortSignal) => Promise<T>): Promise<T> =>
    callKms(key, signal, async (deadline) => {
      const loaded = await load();
      try {
        return await send(loaded.sdk, loaded.client, deadline);
      } catch (error) {
        throw awsError(error, key);
      }
    });
  return {
    key,

    wrap(plaintext, context, signal): Promise<Wrapped> {
      return call(signal, async (sdk, kms, abortSignal) => {
        const input = { KeyId: key.name, Plaintext: plaintext, EncryptionContext: encryptionContext(context) };
        const { CiphertextBlob } = await kms.send(new sdk.EncryptCommand(input), { abortSignal });
        if (CiphertextBlob === undefined) throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'the answer holds no ciphertext' });
        return { version: '-', bytes: CiphertextBlob };
      });
    },

    unwrap({ bytes }, context, signal): Promise<Uint8Array> {
      return call(signal, async (sdk, kms, abortSignal) => {
        // The key is named, so that the service does not use whichever key the ciphertext says.
        const input = { KeyId: key.name, CiphertextBlob: bytes, EncryptionContext: encryptionContext(context) };
        const { Plaintext } = await kms.send(new sdk.DecryptCommand(input), { abortSignal });
        if (Plaintext === undefined) throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: 'the answer holds no plaintext' });
        return Plaintext;
      });
    },
  };
}

async function newClient(key: KmsKey, { profile, endpoint }: KmsOptions): Promise<{ readonly sdk: Sdk; readonly client: Client }> {
  const sdk = await loadSdk();
  const client = new sdk.KMSClient({
    region: key.name.split(':')[3] ?? '',
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS },
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint }),
  });
  return { sdk, client };
}

function encryptionContext({ repositoryId, role }: SlotContext): Record<string, string> {
  return { 'lifeboat-repository': repositoryId, 'lifeboat-role': role };
}

const RIGHTS = 'Let the credentials use kms:Encrypt to add and rotate slots and kms:Decrypt to open them, in the key policy or by IAM.';

/** Errors of the KMS API reference ("Encrypt", "Decrypt", "Common Errors") and of the SDK's credential providers. */
const CODES: Readonly<Record<string, KmsErrorCode>> = {
  AccessDeniedException: 'LB_KEY_ACCESS',
  UnrecognizedClientException: 'LB_KEY_ACCESS',
  InvalidClientTokenId: 'LB_KEY_ACCESS',
  InvalidSignatureException: 'LB_KEY_ACCESS',
  IncompleteSignature: 'LB_KEY_ACCESS',
  MissingAuthenticationTokenException: 'LB_KEY_ACCESS',
  ExpiredTokenException: 'LB_KEY_ACCESS',
  NotAuthorized: 'LB_KEY_ACCESS',
  OptInRequired: 'LB_KEY_ACCESS',
  CredentialsProviderError: 'LB_KEY_ACCESS',
  TokenProviderError: 'LB_KEY_ACCESS',
  DisabledException: 'LB_KEY_DISABLED',
  KMSInvalidStateException: 'LB_KEY_DISABLED',
  NotFoundException: 'LB_KEY_GONE',
  InvalidCiphertextException: 'LB_KEY_WRONG',
  IncorrectKeyException: 'LB_KEY_WRONG',
  InvalidKeyUsageException: 'LB_KEY_INVALID',
};

function awsError(error: unknown, key: KmsKey): Error {
  const { name = '', status } = answerOf(error);
  const code = CODES[name];
  if (code !== undefined) {
    const hint = code === 'LB_KEY_ACCESS' ? RIGHTS : undefined;
    return kmsError(code, key, { reason: name, hint, cause: error });
  }
  if (status === 401 || status === 403) return kmsError('LB_KEY_ACCESS', key, { reason: `HTTP ${status}`, hint: RIGHTS, cause: error });
  // Throttling, dependency timeouts and internal errors are passing; so is everything that is not known.
  if (status !== undefined) return kmsError('LB_KEY_UNAVAILABLE', key, { reason: `${name} (HTTP ${status})`, cause: error });
  return connectionError(error, key);
}

function answerOf(error: unknown): { readonly name?: string; readonly status?: number } {
  if (!(error instanceof Error)) return {};
  const metadata = '$metadata' in error && typeof error.$metadata === 'object' && error.$metadata !== null ? error.$metadata : {};
  const status = 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
  return { name: error.name, ...(status !== undefined && { status }) };
}
