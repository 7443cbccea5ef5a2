import { messageOf } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import type { AuditPublicKey } from '../../keys/audit-key.ts';
import { compactTime } from '../../repository/layout.ts';
import { readObject } from '../../repository/vault-io.ts';
import type { Vault } from '../../vault/vault.ts';
import { AUDIT_PREFIX, batchKey, decodeBatch, partsOfKey } from './batch.ts';

/** How far back the newest objects are looked for before everything is listed, ms. */
const RECENT = 7 * 24 * 3600 * 1000;
/** Objects that are read to tell which of them others follow. */
const MOST_READ = 32;

interface HeadOptions {
  readonly warn: OnWarning;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The newest objects of a server's audit trail that no other follows: whoever begins a chain names them, so that it is noticed when
 * they are gone. A vault that cannot be listed is passed over with a warning.
 */
export async function findHeads(vaults: readonly Vault[], access: AuditPublicKey, now: number, options: HeadOptions): Promise<readonly string[]> {
  const found = new Map<string, Vault>();
  await Promise.all(
    vaults.map(async (vault) => {
      try {
        for (const id of await newestIds(vault, access.server, now, options.signal)) found.set(id, vault);
      } catch (error) {
        options.signal?.throwIfAborted();
        options.warn({ kind: 'audit-unread', message: `the end of the audit trail is not looked for there: ${messageOf(error)}`, where: `vault "${vault.name}"` });
      }
    }),
  );
  const heads = new Set<string>();
  const followed = new Set<string>();
  for (const [id, vault] of [...found].toSorted(([a], [b]) => (a < b ? 1 : -1)).slice(0, MOST_READ)) {
    try {
      const { head } = decodeBatch(id, await readObject(vault, batchKey(access.server, id), { signal: options.signal, original: vault.locks }), access);
      heads.add(id.slice(-64));
      for (const previous of head.previous) followed.add(previous);
    } catch (error) {
      options.signal?.throwIfAborted();
      options.warn({ kind: 'audit-unread', message: `an object of the audit trail is passed over: ${messageOf(error)}`, where: `vault "${vault.name}", ${batchKey(access.server, id)}` });
    }
  }
  return [...heads].filter((head) => !followed.has(head));
}

async function newestIds(vault: Vault, server: string, now: number, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const prefix = `${AUDIT_PREFIX}${server}/`;
  const recent = await idsAfter(vault, prefix, `${prefix}${compactTime(now - RECENT)}`, signal);
  return recent.length > 0 ? recent : idsAfter(vault, prefix, undefined, signal);
}

async function idsAfter(vault: Vault, prefix: string, startAfter: string | undefined, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { key } of vault.list(prefix, { signal, original: vault.locks, ...(startAfter !== undefined && { startAfter }) })) {
    const id = partsOfKey(key)?.id;
    if (id === undefined) continue;
    ids.push(id);
    if (ids.length > MOST_READ) ids.shift();
  }
  return ids;
}
