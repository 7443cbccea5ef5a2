import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { AuditPublicKey } from '../../keys/audit-key.ts';
import { compactTime } from '../../repository/layout.ts';
import { readObject } from '../../repository/vault-io.ts';
import type { Vault } from '../../vault/vault.ts';
import { AUDIT_PREFIX, batchKey, decodeBatch, partsOfKey } from './batch.ts';
import type { Batch } from './batch.ts';

/** A vault's copy of an object that is not what it should be. */
export interface BadCopy {
  readonly vault: string;
  readonly kind: 'forged' | 'damaged' | 'unreadable';
  readonly message: string;
}

/** An object of the audit trail, as the vaults have it. */
export interface StoredBatch {
  readonly server: string;
  readonly id: string;
  /** Vaults whose listing shows it. */
  readonly vaults: readonly string[];
  /** What it says; absent when no vault has it intact, or the key of its server is not known. */
  readonly batch?: Batch;
  readonly bad: readonly BadCopy[];
}

export interface ReadTrailOptions {
  /** Keys of the servers that are to be believed. */
  readonly keys: readonly AuditPublicKey[];
  /** Only what was stored from then on, ms since 1970. */
  readonly since?: number | undefined;
  /** Read the copy of every vault, not only the first that is intact. */
  readonly everyCopy?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Everything below `audit/` that looks like the audit trail, oldest first, server by server. One object is in memory at a time. */
export async function* readTrail(vaults: readonly Vault[], options: ReadTrailOptions): AsyncGenerator<StoredBatch> {
  const { signal, since } = options;
  const holders = new Map<string, Vault[]>();
  for (const vault of vaults) {
    for await (const { key } of vault.list(AUDIT_PREFIX, { signal, original: vault.locks })) {
      const parts = partsOfKey(key);
      if (parts === undefined || (since !== undefined && parts.id < compactTime(since))) continue;
      const those = holders.get(key) ?? [];
      holders.set(key, those);
      those.push(vault);
    }
  }
  for (const [key, those] of [...holders].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const parts = partsOfKey(key);
    if (parts !== undefined) yield await readCopies(parts, those, options);
  }
}

async function readCopies({ server, id }: { readonly server: string; readonly id: string }, vaults: readonly Vault[], options: ReadTrailOptions): Promise<StoredBatch> {
  const access = options.keys.find((key) => key.server === server);
  const about = { server, id, vaults: vaults.map(({ name }) => name) };
  if (access === undefined) return { ...about, bad: [] };
  const bad: BadCopy[] = [];
  let batch: Batch | undefined;
  for (const vault of vaults) {
    try {
      const read = decodeBatch(id, await readObject(vault, batchKey(server, id), { signal: options.signal, original: vault.locks }), access);
      batch ??= read;
      if (options.everyCopy !== true) break;
    } catch (error) {
      options.signal?.throwIfAborted();
      const kind = isLifeboatError(error, 'LB_REPO_FORGED') ? 'forged' : isLifeboatError(error, 'LB_REPO_DAMAGED') ? 'damaged' : 'unreadable';
      bad.push({ vault: vault.name, kind, message: messageOf(error) });
    }
  }
  return { ...about, ...(batch !== undefined && { batch }), bad };
}
