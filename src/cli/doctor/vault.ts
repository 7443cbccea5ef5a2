import { statfs } from 'node:fs/promises';
import { isLifeboatError } from '../../core/errors.ts';
import { openWriter } from '../../repository/index.ts';
import { RESCUE_PREFIX } from '../../repository/layout.ts';
import { rescueFiles } from '../../repository/rescue/files.ts';
import type { VaultConfig } from '../../vault/config.ts';
import { openOtherSoftware, openVault } from '../../vault/open.ts';
import { probeVault } from '../../vault/probe.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { unlockWith } from '../../access/repository.ts';
import { formatBytes } from '../text.ts';
import { clockFinding } from './clock.ts';
import { failure } from './finding.ts';
import type { Report } from './finding.ts';
import type { FoundKeys } from './keys.ts';
import { checkVerified } from './verified.ts';

/** A vault with less room than this is as good as full, bytes. */
const LITTLE_ROOM = 1e9;
const CLOCK_TIMEOUT = 10_000;

/** Tries what a vault really does, and whether what is in it belongs to the configured keys. */
export async function checkVault(context: Context, config: VaultConfig, keys: FoundKeys, report: Report): Promise<void> {
  const subject = `vault "${config.name}"`;
  let vault: Vault;
  try {
    vault = await openVault(config);
  } catch (error) {
    report(failure(subject, 'reachable', error));
    return;
  }
  try {
    if (!(await checkAbilities(context, config, vault, keys, report))) return;
    await checkRepository(context, vault, subject, keys, report);
    if (config.type === 'directory') await checkRoom(config.path, subject, report);
    else await checkClock(addressOf(config), context.signal, subject, report);
  } catch (error) {
    context.signal.throwIfAborted();
    report(failure(subject, 'reachable', error));
  } finally {
    await vault.close();
  }
}

/** False when it is of no use to look further. */
async function checkAbilities(context: Context, config: VaultConfig, vault: Vault, keys: FoundKeys, report: Report): Promise<boolean> {
  const other = await openOtherSoftware(config);
  try {
    const checks = await probeVault(vault, { signal: context.signal, other, role: roleOf(keys) });
    for (const { name, status, detail, hint } of checks) {
      report({ subject: `vault "${config.name}"`, check: name, status, message: detail, ...(hint !== undefined && { fix: hint }) });
    }
    return checks.some(({ name, status }) => name === 'list' && status !== 'fail');
  } finally {
    await other?.close();
  }
}

/** What the credentials of this machine are for, as far as its keys tell. */
function roleOf(keys: FoundKeys): 'write' | 'maintain' | undefined {
  if (keys.maintainers.length > 0) return 'maintain';
  return keys.writeKey === undefined ? undefined : 'write';
}

async function checkRepository(context: Context, vault: Vault, subject: string, keys: FoundKeys, report: Report): Promise<void> {
  const { signal } = context;
  if (keys.writeKey !== undefined) {
    try {
      const writer = await openWriter({ vaults: [vault], writeKey: keys.writeKey, signal });
      await writer.close();
      report({ subject, check: 'repository', status: 'ok', message: 'it holds the repository of the write key' });
    } catch (error) {
      signal.throwIfAborted();
      report(failure(subject, 'repository', error));
      if (isLifeboatError(error, 'LB_REPO_MISSING')) return;
    }
  }
  if (keys.openers.length > 0) {
    try {
      const opened = await unlockWith(context, [vault], keys.openers, 'read');
      const same = keys.writeKey === undefined || opened.repositoryId === keys.writeKey.repositoryId;
      report({
        subject,
        check: 'read-key',
        status: same ? 'ok' : 'fail',
        message: same ? 'the configured key opens it' : `the configured key opens repository ${opened.repositoryId}, the write key is of another`,
        ...(!same && { fix: 'Use keys of one repository; `lifeboat keys export --role write` makes the write key that fits.' }),
      });
    } catch (error) {
      signal.throwIfAborted();
      report(failure(subject, 'read-key', error));
    }
  }
  if (keys.maintainers.length > 0) {
    try {
      await unlockWith(context, [vault], keys.maintainers, 'maintain');
      report({ subject, check: 'maintain-key', status: 'ok', message: 'the configured maintain key is of it' });
    } catch (error) {
      signal.throwIfAborted();
      report(failure(subject, 'maintain-key', error));
    }
  }
  await checkVerified(vault, keys.writeKey, signal, subject, report);
  await checkRescue(vault, signal, subject, report);
}

async function checkRescue(vault: Vault, signal: AbortSignal, subject: string, report: Report): Promise<void> {
  const there = new Set<string>();
  for await (const { key } of vault.list(RESCUE_PREFIX, { signal })) there.add(key);
  const current = (await rescueFiles()).every(({ key }) => there.has(key));
  const fix = 'Run `lifeboat init`: it adds what is missing.';
  if (current) report({ subject, check: 'rescue', status: 'ok', message: 'it carries the rescue reader' });
  else if (there.size > 0) report({ subject, check: 'rescue', status: 'ok', message: 'it carries the rescue reader of another version' });
  else report({ subject, check: 'rescue', status: 'warn', message: 'it lacks the rescue reader, which opens it without lifeboat', fix });
}

async function checkRoom(path: string, subject: string, report: Report): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const little = free < LITTLE_ROOM;
  report({
    subject,
    check: 'room',
    status: little ? 'warn' : 'ok',
    message: `${formatBytes(free)} free`,
    ...(little && { fix: 'Make room: a backup that runs out of it leaves no point.' }),
  });
}

/** Where a store answers. */
function addressOf(config: Exclude<VaultConfig, { type: 'directory' }>): string {
  if (config.endpoint !== undefined) return config.endpoint;
  if (config.type === 's3') return `https://s3.${config.region ?? 'us-east-1'}.amazonaws.com`;
  return config.type === 'gcs' ? 'https://storage.googleapis.com' : `https://${config.account}.blob.core.windows.net`;
}

/** Any answer of the store carries its time, also one that refuses. */
async function checkClock(url: string, signal: AbortSignal, subject: string, report: Report): Promise<void> {
  const before = Date.now();
  try {
    const answer = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(CLOCK_TIMEOUT)]) });
    const date = Date.parse(answer.headers.get('date') ?? '');
    if (!Number.isNaN(date)) report(clockFinding(subject, date, before, Date.now()));
  } catch {
    // The store was reached a moment ago; without this one answer the clock is merely not compared.
    signal.throwIfAborted();
  }
}
