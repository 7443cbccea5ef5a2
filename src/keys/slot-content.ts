import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import { hasSeparateRoles } from './material.ts';
import type { PublicKeys, RepositoryKeys } from './material.ts';
import type { RoleKey } from './roles.ts';
import { SEALING_PUBLIC_BYTES } from './sealing-sizes.ts';
import { createOpener, createSealer } from './sealing.ts';
import { Secret } from './secret.ts';
import { signingPublicKey } from './signing.ts';

/** What a key slot holds once it is open: keys as JSON. docs/format.md, "Key slots". */
const FORMAT = 'lifeboat-read-key';
/** 1: one signing key for every role, as in repositories made before roles were separate. 2: a role and its keys. */
const NEWEST = 2;

/** Roles a slot may hold. The write key is kept in a file, because a backup machine opens no slots. */
export type SlotRole = 'owner' | 'read' | 'maintain';
export type SlotKey = Extract<RoleKey, { readonly role: SlotRole }>;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const repository = z.string().regex(/^[0-9a-f]{32}$/);

const oldSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  repository,
  sealingKey: hex32,
  sealingPublicKey: z.base64(),
  signingKey: hex32,
  dedupKey: hex32,
  indexKey: hex32,
});

const publics = { repository, sealingPublicKey: z.base64(), signingPublicKey: hex32, reportPublicKey: hex32, maintainPublicKey: hex32 };
const readSecrets = { sealingKey: hex32, reportKey: hex32, dedupKey: hex32, indexKey: hex32 };
const schema = z.discriminatedUnion('role', [
  z.object({ role: z.literal('owner'), ...publics, ...readSecrets, signingKey: hex32, maintainKey: hex32 }),
  z.object({ role: z.literal('read'), ...publics, ...readSecrets }),
  z.object({ role: z.literal('maintain'), ...publics, maintainKey: hex32 }),
]);

/** The document that goes into a slot. Throws `LB_KEY_ROLE` for a role alone where roles have no keys of their own. */
export function encodeSlotContent(keys: RepositoryKeys, role: SlotRole): Buffer {
  const { repositoryId: id, sealingPublicKey } = keys;
  if (!hasSeparateRoles(keys)) {
    if (role !== 'owner') {
      throw new LifeboatError('LB_KEY_ROLE', 'This repository was made before the roles had keys of their own: a slot of it opens everything');
    }
    const { sealingKey, signingKey, dedupKey, indexKey } = keys;
    const secrets = { sealingKey: hexOf(sealingKey), sealingPublicKey: base64(sealingPublicKey), signingKey: hexOf(signingKey), dedupKey: hexOf(dedupKey), indexKey: hexOf(indexKey) };
    return Buffer.from(JSON.stringify({ format: FORMAT, version: 1, repository: id, ...secrets }));
  }
  const about = {
    format: FORMAT,
    version: NEWEST,
    role,
    repository: id,
    sealingPublicKey: base64(sealingPublicKey),
    signingPublicKey: hex(keys.signingPublicKey),
    reportPublicKey: hex(keys.reportPublicKey),
    maintainPublicKey: hex(keys.maintainPublicKey),
  };
  const { sealingKey, reportKey, dedupKey, indexKey, signingKey, maintainKey } = keys;
  const read = { sealingKey: hexOf(sealingKey), reportKey: hexOf(reportKey), dedupKey: hexOf(dedupKey), indexKey: hexOf(indexKey) };
  const maintain = { maintainKey: hexOf(maintainKey) };
  const secrets = { owner: { ...read, signingKey: hexOf(signingKey), ...maintain }, read, maintain }[role];
  return Buffer.from(JSON.stringify({ ...about, ...secrets }));
}

/**
 * Reads what a slot held. That private and public halves belong together is checked: whoever has the write key could
 * otherwise put a slot in a vault that looks right and opens nothing. Throws `LB_KEY_INVALID`, `LB_REPO_NEWER_FORMAT`.
 */
export async function decodeSlotContent(bytes: Uint8Array): Promise<SlotKey> {
  const document = parseJson(bytes);
  const version = z.object({ format: z.literal(FORMAT), version: z.int() }).safeParse(document).data?.version ?? 1;
  if (version > NEWEST) {
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The key slot has format version ${version}`, { hint: 'Use a newer lifeboat.' });
  }
  const slot = version === 1 ? fromOld(document) : fromNew(document);
  if (slot.keys.sealingPublicKey.length !== SEALING_PUBLIC_BYTES) throw malformed();
  if (slot.role !== 'maintain') await checkSealing(slot.keys.sealingKey, slot.keys.sealingPublicKey);
  return slot;
}

function fromOld(document: unknown): SlotKey {
  const parsed = oldSchema.safeParse(document);
  if (!parsed.success) throw noKeys();
  const { sealingKey, dedupKey, indexKey } = parsed.data;
  const signingKey = secretOf(parsed.data.signingKey);
  const publicKey = signingPublicKey(signingKey);
  return {
    role: 'owner',
    keys: {
      repositoryId: parsed.data.repository,
      sealingPublicKey: fromBase64(parsed.data.sealingPublicKey),
      sealingKey: secretOf(sealingKey),
      signingKey,
      signingPublicKey: publicKey,
      reportKey: signingKey,
      reportPublicKey: publicKey,
      maintainKey: signingKey,
      maintainPublicKey: publicKey,
      dedupKey: secretOf(dedupKey),
      indexKey: secretOf(indexKey),
    },
  };
}

function fromNew(document: unknown): SlotKey {
  const parsed = schema.safeParse(document);
  if (!parsed.success) throw noKeys();
  const slot = parsed.data;
  const about: PublicKeys = {
    repositoryId: slot.repository,
    sealingPublicKey: fromBase64(slot.sealingPublicKey),
    signingPublicKey: fromHex(slot.signingPublicKey),
    reportPublicKey: fromHex(slot.reportPublicKey),
    maintainPublicKey: fromHex(slot.maintainPublicKey),
  };
  if (slot.role === 'maintain') {
    return { role: 'maintain', keys: { ...about, maintainKey: seedOf(slot.maintainKey, about.maintainPublicKey) } };
  }
  const read = {
    ...about,
    sealingKey: secretOf(slot.sealingKey),
    reportKey: seedOf(slot.reportKey, about.reportPublicKey),
    dedupKey: secretOf(slot.dedupKey),
    indexKey: secretOf(slot.indexKey),
  };
  if (slot.role === 'read') return { role: 'read', keys: read };
  const signingKey = seedOf(slot.signingKey, about.signingPublicKey);
  return { role: 'owner', keys: { ...read, signingKey, maintainKey: seedOf(slot.maintainKey, about.maintainPublicKey) } };
}

/** The private half of a signing key that must belong to this public half. */
function seedOf(text: string, publicKey: Uint8Array): Secret {
  const seed = secretOf(text);
  if (!Buffer.from(signingPublicKey(seed)).equals(publicKey)) throw malformed();
  return seed;
}

async function checkSealing(sealingKey: Secret, sealingPublicKey: Uint8Array): Promise<void> {
  const [sealer, opener] = await Promise.all([createSealer(sealingPublicKey), createOpener(sealingKey)]);
  const [info, aad] = ['lifeboat/1/self-test', new Uint8Array()];
  await opener.open(await sealer.seal(new Uint8Array(1), info, aad), info, aad).catch(() => {
    throw malformed();
  });
}

function noKeys(): LifeboatError {
  return new LifeboatError('LB_KEY_INVALID', 'The key slot opens, but holds no keys');
}

function malformed(): LifeboatError {
  return new LifeboatError('LB_KEY_INVALID', 'The keys in the slot do not belong together');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function hexOf(secret: Secret): string {
  return hex(secret.expose());
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function secretOf(text: string): Secret {
  return new Secret(fromHex(text));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
