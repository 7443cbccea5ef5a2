import { LifeboatError } from '../../core/errors.ts';

/** The key services that can lock a slot. */
export const KMS_KINDS = ['aws-kms', 'vault-transit', 'gcp-kms', 'azure-key-vault'] as const;
export type KmsKind = (typeof KMS_KINDS)[number];

/** A key in a key service: where it is, and nothing that opens it. */
export interface KmsKey {
  readonly kind: KmsKind;
  /** The service's own name for the key: see `NAMES`. */
  readonly name: string;
}

/** What a key is called in each service. No name has white space, so that it can stand in an age stanza. */
const NAMES: Readonly<Record<KmsKind, { readonly pattern: RegExp; readonly example: string; readonly hint?: string }>> = {
  'aws-kms': {
    pattern: /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    hint: 'An alias can be pointed at another key, so the ARN of the key itself is needed.',
  },
  'vault-transit': {
    pattern: /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[A-Za-z0-9._-]+){2,}$/,
    example: 'https://bao.example.net:8200/transit/lifeboat',
    hint: 'After the address of the server come the path of the transit engine and the name of the key.',
  },
  'gcp-kms': {
    pattern: /^projects\/[A-Za-z0-9.:-]+\/locations\/[A-Za-z0-9-]+\/keyRings\/[A-Za-z0-9_-]+\/cryptoKeys\/[A-Za-z0-9_-]+$/,
    example: 'projects/acme-backup/locations/europe-west3/keyRings/lifeboat/cryptoKeys/slots',
  },
  'azure-key-vault': {
    pattern: /^https:\/\/[A-Za-z0-9.:-]+\/keys\/[A-Za-z0-9-]+$/,
    example: 'https://acme-backup.vault.azure.net/keys/lifeboat',
    hint: 'Without a version: the newest is used to lock, and the one that a slot names to open.',
  },
};

/** Longer names are no names, and would make slots unwieldy. */
const LONGEST = 512;

/** The key, if this can be its name. */
export function kmsKey(kind: KmsKind, name: string): KmsKey | undefined {
  return name.length <= LONGEST && NAMES[kind].pattern.test(name) && isSafe(kind, name) ? { kind, name } : undefined;
}

/** The key. Throws `LB_KEY_INVALID` when this cannot be its name. */
export function requireKmsKey(kind: KmsKind, name: string): KmsKey {
  const key = kmsKey(kind, name);
  if (key !== undefined) return key;
  const { example, hint } = NAMES[kind];
  throw new LifeboatError('LB_KEY_INVALID', `This does not name a key of ${SERVICES[kind]}: ${name}`, {
    hint: `It looks like ${example}.${hint === undefined ? '' : ` ${hint}`}`,
  });
}

/** A token must not travel in the clear, except on this machine. */
function isSafe(kind: KmsKind, name: string): boolean {
  if (kind !== 'vault-transit') return true;
  const url = URL.parse(name);
  return url !== null && (url.protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname));
}

/** What people call the services. */
export const SERVICES: Readonly<Record<KmsKind, string>> = {
  'aws-kms': 'AWS KMS',
  'vault-transit': 'OpenBao or Vault',
  'gcp-kms': 'Google Cloud KMS',
  'azure-key-vault': 'Azure Key Vault',
};

/** `aws-kms:arn:aws:…`: how a key is written in lifeboat.yaml and on the command line, and how `keys list` shows it. */
export function formatKmsKey({ kind, name }: KmsKey): string {
  return `${kind}:${name}`;
}

/** Reads what `formatKmsKey` wrote. Throws `LB_KEY_INVALID`. */
export function parseKmsKey(text: string): KmsKey {
  const kind = KMS_KINDS.find((known) => text.startsWith(`${known}:`));
  if (kind !== undefined) return requireKmsKey(kind, text.slice(kind.length + 1));
  throw new LifeboatError('LB_KEY_INVALID', `This does not name a key of a key service: ${text}`, {
    hint: `Write one of ${KMS_KINDS.join(', ')}, a colon, and the name of the key: \`lifeboat keys list\` shows those in use.`,
  });
}

/**
 * Whether a slot locked by `locked` may be opened with `allowed`: the same key, or, in AWS KMS, another region's replica
 * of the same multi-Region key, which opens what any of them locked. So a slot outlives the region it was made in.
 */
export function opensSameSlots(allowed: KmsKey, locked: KmsKey): boolean {
  if (allowed.kind !== locked.kind) return false;
  return allowed.name === locked.name || (allowed.kind === 'aws-kms' && replicated(allowed.name) !== undefined && replicated(allowed.name) === replicated(locked.name));
}

/** The ARN of a multi-Region key without its region. */
function replicated(arn: string): string | undefined {
  const [, partition, , , account, resource] = arn.split(':');
  return resource?.startsWith('key/mrk-') === true ? `${partition}:${account}:${resource}` : undefined;
}
