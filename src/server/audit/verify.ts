import type { Vault } from '../../vault/vault.ts';
import { batchKey } from './batch.ts';
import type { BatchHead } from './batch.ts';
import { NO_RECORD } from './record.ts';
import { readTrail } from './read.ts';
import type { ReadTrailOptions, StoredBatch } from './read.ts';

/** Something about the audit trail that is not as the server left it. */
export interface AuditFinding {
  /**
   * `forged`, `damaged`, `unreadable`: a vault's copy is. `missing`: an object that others follow is in no vault. `order`: records or objects do
   * not follow each other. `fork`: two objects claim one place. `unknown-server`: there is no key to check it with. `absent`: other
   * vaults have it, this one does not.
   */
  readonly kind: 'forged' | 'damaged' | 'unreadable' | 'missing' | 'order' | 'fork' | 'unknown-server' | 'absent';
  readonly server: string;
  /** The object's key, where it is about one. */
  readonly object?: string;
  readonly vault?: string;
  readonly message: string;
}

export interface AuditReport {
  /** Nothing was edited, removed, put in another order, or forged; and every vault has all of it. */
  readonly ok: boolean;
  readonly servers: readonly {
    readonly server: string;
    readonly chains: number;
    readonly objects: number;
    readonly records: number;
    /** ISO 8601, UTC. */
    readonly first?: string;
    readonly last?: string;
  }[];
  readonly findings: readonly AuditFinding[];
}

interface Placed {
  readonly id: string;
  readonly head: BatchHead;
  readonly firstPrevious: string;
  readonly lastHash: string;
}

/**
 * Reads the whole audit trail in every vault, and checks signatures, and that objects and records follow each other without a gap.
 * What nobody can notice is that the newest objects are gone from every vault at once, before anything followed them.
 */
export async function verifyTrail(vaults: readonly Vault[], options: Omit<ReadTrailOptions, 'everyCopy' | 'since'>): Promise<AuditReport> {
  const findings: AuditFinding[] = [];
  const servers = new Map<string, Map<string, Placed[]>>();
  const unknown = new Map<string, number>();
  for await (const stored of readTrail(vaults, { ...options, everyCopy: true })) {
    if (options.keys.every(({ server }) => server !== stored.server)) {
      unknown.set(stored.server, (unknown.get(stored.server) ?? 0) + 1);
      continue;
    }
    const chains = servers.get(stored.server) ?? new Map<string, Placed[]>();
    servers.set(stored.server, chains);
    findings.push(...aboutCopies(stored, vaults));
    const { batch, id, server } = stored;
    if (batch === undefined) continue;
    const { head, hashes, records } = batch;
    findings.push(...recordOrder(stored, batch));
    const chain = chains.get(head.chain) ?? [];
    chains.set(head.chain, chain);
    chain.push({ id, head, firstPrevious: records[0]?.previous ?? '', lastHash: hashes.at(-1) ?? '' });
    if (head.server !== server) findings.push({ kind: 'forged', server, object: batchKey(server, id), message: 'It is of another server' });
  }
  for (const [server, chains] of servers) findings.push(...chainOrder(server, chains));
  for (const [server, objects] of unknown) {
    findings.push({ kind: 'unknown-server', server, message: `${objects} object${objects === 1 ? '' : 's'} of a server whose key is not known: give it with --public-key, or somebody else put them there` });
  }
  return { ok: findings.length === 0, servers: [...servers].map(([server, chains]) => summary(server, chains)), findings };
}

function aboutCopies({ server, id, vaults: holders, bad }: StoredBatch, vaults: readonly Vault[]): readonly AuditFinding[] {
  const object = batchKey(server, id);
  const absent = vaults.filter(({ name }) => !holders.includes(name));
  return [
    ...bad.map(({ kind, message, vault }): AuditFinding => ({ kind, server, object, vault, message })),
    ...absent.map(({ name }): AuditFinding => ({ kind: 'absent', server, object, vault: name, message: 'Other vaults have it: it was removed here, or the vault was away when it was stored' })),
  ];
}

function recordOrder({ server, id }: StoredBatch, { head, records, hashes }: NonNullable<StoredBatch['batch']>): readonly AuditFinding[] {
  const wrong =
    records.length !== head.count ||
    records.some(({ previous, seq }, index) => seq !== head.first + index || (index > 0 && previous !== hashes[index - 1]));
  return wrong ? [{ kind: 'order', server, object: batchKey(server, id), message: 'Its records do not follow each other' }] : [];
}

function chainOrder(server: string, chains: ReadonlyMap<string, readonly Placed[]>): readonly AuditFinding[] {
  const findings: AuditFinding[] = [];
  const known = new Set([...chains.values()].flatMap((chain) => chain.map(({ id }) => id.slice(-64))));
  for (const chain of chains.values()) {
    const sorted = chain.toSorted((a, b) => a.head.batch - b.head.batch);
    for (const [index, { id, head, firstPrevious }] of sorted.entries()) {
      const object = batchKey(server, id);
      const about = (kind: AuditFinding['kind'], message: string): number => findings.push({ kind, server, object, message });
      const before = sorted[index - 1];
      const gone = head.previous.filter((previous) => !known.has(previous));
      if (gone.length > 0) about('missing', `It follows ${gone.map((sha256) => sha256.slice(0, 16)).join(', ')}, which no vault has intact`);
      else if (before?.head.batch === head.batch) about('fork', `Another object has the same place in its chain: ${batchKey(server, before.id)}`);
      else if (head.batch > 0 && (before === undefined || !head.previous.includes(before.id.slice(-64)) || before.head.batch !== head.batch - 1)) about('order', 'It does not follow the one before it');
      else if (head.first !== (before === undefined ? 0 : before.head.first + before.head.count) || firstPrevious !== (before?.lastHash ?? NO_RECORD)) about('order', 'Its first record does not follow the last one before it');
    }
  }
  return findings;
}

function summary(server: string, chains: ReadonlyMap<string, readonly Placed[]>): AuditReport['servers'][number] {
  const heads = [...chains.values()].flatMap((chain) => chain.map(({ head }) => head)).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const [first, last] = [heads[0], heads.at(-1)];
  return {
    server,
    chains: chains.size,
    objects: heads.length,
    records: heads.reduce((sum, { count }) => sum + count, 0),
    ...(first !== undefined && { first: first.at }),
    ...(last !== undefined && { last: last.at }),
  };
}
