import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseMaintainKey, parseReadKey, parseWriteKey } from '../../src/keys/index.ts';
import type { RepositoryKeys } from '../../src/keys/index.ts';

const VECTORS = new URL('../repository/vectors/', import.meta.url);

const schema = z.object({ writeKey: z.string(), readKey: z.string(), maintainKey: z.string(), identities: z.array(z.string()) });
const texts = schema.parse(JSON.parse(readFileSync(new URL('roles/expected.json', VECTORS), 'utf8')));

/** The keys of every simulated repository: always the same, as a new one's cannot be seeded. */
export const KEYS: RepositoryKeys = { ...parseWriteKey(texts.writeKey), ...parseReadKey(texts.readKey), ...parseMaintainKey(texts.maintainKey) };

const slot = (id: string): Uint8Array => readFileSync(new URL(`roles/vault/keys/${id}`, VECTORS));

/** Slots that hold them: one for a passphrase, one for an identity. */
export const SLOTS: readonly Uint8Array[] = ['c5032b366e2951c2f7b145d0c288cd603d51f2f13ad90f645c88138fa15ea4d6', '47609e48cea4ddb936965c26997c9471277bc68b0562e6dc011e843c506677af'].map(slot);

/** What opens the second one. */
export const IDENTITY: string = texts.identities[0] ?? '';

/** Another repository: what an attacker puts in the place of a vault's. */
export const IMPOSTOR_HEADER: Uint8Array = readFileSync(new URL('vault/lifeboat.json', VECTORS));
