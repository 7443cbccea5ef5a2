import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import type { PublicKeys, ReadKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { Json } from './api.ts';
import { JOBS_PREFIX } from './layout.ts';
import type { ReadContext } from './pack-store.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';
import type { SignedKind } from './signed-json.ts';
import { readObject, whereIs } from './vault-io.ts';

/** Ids of jobs, as part of an object's key. */
const JOB_ID = /^[a-z]+\.[A-Za-z0-9][A-Za-z0-9._-]{0,160}$/;
/** No record is larger. */
const MAX_BYTES = 256 * 1024;

const recordSchema = z.object({
  repository: z.string(),
  id: z.string(),
  state: z.enum(['begun', 'ended']),
  at: z.iso.datetime(),
  /** What the job is, and where it was, in words of those who write it. */
  content: z.json(),
});

const RECORD: SignedKind<typeof recordSchema> = { format: 'lifeboat-job', purpose: 'lifeboat/1/job', schema: recordSchema };

/** A job that was begun. */
export interface BegunJob {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly content: Json;
}

/** Leaves in every vault that takes it that a job was begun. What is there already stays. A vault that does not take it is warned of. */
export function beginJobRecord(vaults: readonly Vault[], keys: ReadKey, job: BegunJob, context: ReadContext): Promise<void> {
  return write(vaults, keys, { ...job, state: 'begun' }, context);
}

/** The same of its end; `content` says what it came to. */
export function endJobRecord(vaults: readonly Vault[], keys: ReadKey, job: BegunJob, context: ReadContext): Promise<void> {
  return write(vaults, keys, { ...job, state: 'ended' }, context);
}

async function write(vaults: readonly Vault[], keys: ReadKey, record: BegunJob & { readonly state: 'begun' | 'ended' }, { signal, onWarning }: ReadContext): Promise<void> {
  const { id, at, content, state } = record;
  const bytes = encodeSignedJson(RECORD, { repository: keys.repositoryId, id, state, at, content }, keys.reportKey);
  const key = recordKey(id, state);
  const results = await Promise.allSettled(vaults.map((vault) => vault.put(key, bytes, { signal })));
  signal?.throwIfAborted();
  for (const [i, result] of results.entries()) {
    if (result.status === 'fulfilled') continue;
    onWarning?.({ kind: 'job-not-recorded', message: `The job is not on record there, and would not be gone on with if the queue were lost: ${messageOf(result.reason)}`, where: `vault "${vaults[i]?.name ?? ''}"` });
  }
}

/** Jobs that some vault says were begun, and none that they ended. A record that is not genuine counts for nothing, with a warning. */
export async function unendedJobs(vaults: readonly Vault[], keys: PublicKeys, context: ReadContext): Promise<readonly BegunJob[]> {
  const begun = new Map<string, Vault[]>();
  const ended = new Map<string, Vault[]>();
  await Promise.all(
    vaults.map(async (vault) => {
      try {
        for await (const { key, size } of vault.list(JOBS_PREFIX, { signal: context.signal })) {
          const [id = '', state, ...more] = key.slice(JOBS_PREFIX.length).split('/');
          if (!JOB_ID.test(id) || more.length > 0 || size > MAX_BYTES) continue;
          const holders = state === 'begun' ? begun : state === 'ended' ? ended : undefined;
          holders?.set(id, [...(holders.get(id) ?? []), vault]);
        }
      } catch (error) {
        context.signal?.throwIfAborted();
        context.onWarning?.({ kind: 'jobs-unreadable', message: messageOf(error), where: `vault "${vault.name}"` });
      }
    }),
  );
  const found: BegunJob[] = [];
  for (const [id, holders] of begun) {
    if ((await read(ended.get(id) ?? [], id, 'ended', keys, context)) !== undefined) continue;
    const record = await read(holders, id, 'begun', keys, context);
    if (record !== undefined) found.push(record);
  }
  return found.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

async function read(vaults: readonly Vault[], id: string, state: 'begun' | 'ended', keys: PublicKeys, { signal, onWarning }: ReadContext): Promise<BegunJob | undefined> {
  const key = recordKey(id, state);
  for (const vault of vaults) {
    try {
      const record = decodeWholeSignedJson(RECORD, await readObject(vault, key, { signal }), keys.reportPublicKey);
      if (record.repository === keys.repositoryId && record.id === id && record.state === state) return { id, at: record.at, content: record.content };
      throw new Error('it belongs elsewhere');
    } catch (error) {
      signal?.throwIfAborted();
      onWarning?.({ kind: 'job-record-ignored', message: `A record of a job counts for nothing: ${messageOf(error)}`, where: whereIs(vault, key) });
    }
  }
  return undefined;
}

function recordKey(id: string, state: 'begun' | 'ended'): string {
  return `${JOBS_PREFIX}${id}/${state}`;
}
