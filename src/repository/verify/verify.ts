import { LifeboatError } from '../../core/errors.ts';
import type { OnProgress } from '../../core/progress.ts';
import type { PublicKeys, ReadKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import type { VerifyReport } from '../api.ts';
import { indexKey, packKey, pointKey } from '../layout.ts';
import type { PackRef } from '../pack-table.ts';
import type { Point } from '../point.ts';
import { bytesToRead, checkBytes } from './bytes.ts';
import type { ByteSink } from './bytes.ts';
import { ContentCheck } from './contents.ts';
import { Findings, findingOf } from './findings.ts';
import { allPoints, allRemoved, checkReferences, pointsByPack } from './references.ts';
import { VaultCheck } from './vault-check.ts';

/** What verifying takes. */
export interface VerifyOptions {
  readonly vaults: readonly Vault[];
  /** With the read key, `data` also opens everything; without keys, signatures are checked with the key the header names. */
  readonly keys?: ReadKey;
  /** `structure`: names, sizes, signatures, chains, references. `data`: every byte of every object as well. */
  readonly depth: 'structure' | 'data';
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Examines every vault and reports what is lost, damaged or forged, and which points that touches; never throws for
 * what it finds. Throws what a vault throws when none can be listed, `LB_REPO_MISSING` when none holds a repository,
 * and `LB_REPO_NEWER_FORMAT` when this lifeboat is too old to judge.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { keys, signal } = options;
  const findings = new Findings();
  const checks = await listAll(options, findings);
  await Promise.all(checks.map((check) => check.readHeader(keys)));
  const access = accessFor(checks, keys, findings);
  let points = 0;
  const total = checks.reduce((sum, check) => sum + check.pointNames().length, 0);
  const onPoint = (): void => options.onProgress?.({ phase: 'verify', done: ++points, total, unit: 'points' });
  await Promise.all(checks.map((check) => check.readRemovals(access)));
  const removed = allRemoved(checks);
  await Promise.all(
    checks.map(async (check) => {
      await check.readSlots(access);
      await check.readPoints(access, removed, onPoint);
    }),
  );
  const known = allPoints(checks);
  for (const check of checks) checkReferences(check, known, removed);
  if (options.depth === 'data') await checkData(options, checks, known, findings);
  signal?.throwIfAborted();
  const depth = options.depth === 'structure' ? 'structure' : keys === undefined ? 'data' : 'data-opened';
  return report(checks, known, findings, depth);
}

async function listAll(options: VerifyOptions, findings: Findings): Promise<VaultCheck[]> {
  const all = options.vaults.map((vault) => new VaultCheck(vault, findings, options.signal));
  const results = await Promise.allSettled(all.map((check) => check.list()));
  options.signal?.throwIfAborted();
  const failures: unknown[] = [];
  const checks = all.filter((check, i) => {
    const result = results[i];
    if (result?.status !== 'rejected') return true;
    failures.push(result.reason);
    findings.add(findingOf(result.reason, check.name, ''));
    return false;
  });
  if (checks.length === 0) throw toError(failures[0]);
  return checks;
}

function toError(failure: unknown): Error {
  return failure instanceof Error ? failure : new LifeboatError('LB_USAGE', 'There is no vault to verify');
}

/** What points are checked with: the given keys, or else what the headers say. */
function accessFor(checks: readonly VaultCheck[], keys: ReadKey | undefined, findings: Findings): PublicKeys {
  if (keys !== undefined) return keys;
  const [first, ...others] = checks.filter((check) => check.header !== undefined);
  if (first?.header === undefined) {
    throw new LifeboatError(
      'LB_REPO_MISSING',
      'No vault has an intact lifeboat.json, and without it or the read key nothing can be verified',
      {
        hint: 'Give a passphrase or an age identity.',
      },
    );
  }
  for (const check of others) {
    if (check.header?.repositoryId === first.header.repositoryId) continue;
    findings.add({
      vault: check.name,
      object: 'lifeboat.json',
      kind: 'forged',
      message: 'This vault holds another repository',
      points: [],
    });
  }
  return first.header;
}

async function checkData(
  options: VerifyOptions,
  checks: readonly VaultCheck[],
  known: ReadonlyMap<string, Point>,
  findings: Findings,
): Promise<void> {
  const { keys, signal } = options;
  const refs = new Map<string, PackRef>();
  for (const point of known.values()) for (const pack of point.packs) refs.set(pack.id, pack);
  const contents = keys && (await ContentCheck.create(keys, options.vaults, refs, signal));
  const sink: ByteSink = contents ?? {
    wantsPack: () => false,
    pack: () => Promise.resolve(),
    index: () => Promise.resolve(),
  };
  const total = checks.reduce((sum, check) => sum + bytesToRead(check), 0);
  let done = 0;
  const onBytes = (bytes: number): void => {
    done += bytes;
    options.onProgress?.({ phase: 'verify', done, total, unit: 'bytes' });
  };
  // One vault after the other: what was opened in one is only compared in the next.
  for (const check of checks) await checkBytes(check, pointsByPack(check.points.values()), sink, onBytes, signal);
  if (contents === undefined) return;
  for (const [key, point] of known) {
    try {
      await contents.point(point, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      const whole = point.packs.every((pack) =>
        checks.some((check) => check.sizes.has(packKey(pack.id)) && !findings.has(check.name, packKey(pack.id))),
      );
      // When a pack is lost in every vault, that has been said, with this point.
      if (!whole) continue;
      for (const check of checks) {
        if (check.points.has(key))
          findings.add({ ...findingOf(error, check.name, key, [point.header.id]), kind: 'unreadable' });
      }
    }
  }
}

function report(
  checks: readonly VaultCheck[],
  known: ReadonlyMap<string, Point>,
  findings: Findings,
  depth: VerifyReport['depth'],
): VerifyReport {
  const all = findings.all();
  const needed = new Set<string>();
  for (const point of known.values()) {
    for (const pack of point.packs) needed.add(packKey(pack.id));
    for (const id of point.indexes) needed.add(indexKey(id));
  }
  const removed = allRemoved(checks);
  const present = new Set(checks.flatMap((check) => [...check.packs().map(packKey), ...check.indexes().map(indexKey)]));
  return {
    vaults: checks.map((check) => {
      const touched = new Set(
        all.filter((finding) => finding.vault === check.name).flatMap((finding) => finding.points),
      );
      return {
        name: check.name,
        objects: check.sizes.size,
        bytesRead: check.bytesRead,
        points: check.pointNames().filter(({ site, id }) => !removed.has(pointKey(site, id))).length,
        intactPoints: [...check.points.values()].filter((point) => !touched.has(point.header.id)).length,
      };
    }),
    findings: all,
    unreferenced: [...present].filter((key) => !needed.has(key)).length,
    depth,
  };
}
