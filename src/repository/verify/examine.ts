import type { Clock } from '../../core/clock.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { OnProgress, OnWarning } from '../../core/progress.ts';
import type { PublicKeys, ReadKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { sameRepository } from '../header.ts';
import { HEADER_KEY } from '../layout.ts';
import type { Point } from '../point.ts';
import type { RemovedPoint } from '../removal/tombstone.ts';
import type { BudgetOptions } from './budget.ts';
import { findDisputes } from './disputed.ts';
import { Findings, findingOf } from './findings.ts';
import { allPoints, allRemoved, allSlots, checkReferences } from './references.ts';
import type { Belongs } from './references.ts';
import type { VaultReports } from './reports.ts';
import { readReports } from './reports.ts';
import { VaultCheck } from './vault-check.ts';

/** What examining vaults takes. */
export interface ExamineOptions {
  readonly vaults: readonly Vault[];
  /** With the read key, `data` also opens everything. */
  readonly keys?: ReadKey;
  /** What signatures are checked with when there is no read key; without, the key that the header names. */
  readonly trusted?: PublicKeys;
  /** `structure`: names, sizes, signatures, chains, references. `data`: every byte of every object as well. */
  readonly depth: 'structure' | 'data';
  /** How much `data` may read; what was not read for longest comes first. Default: everything. */
  readonly budget?: BudgetOptions;
  /** Which vaults are to hold points that another one has. Default: all of them. */
  readonly belongs?: Belongs;
  readonly clock?: Clock;
  readonly onProgress?: OnProgress;
  readonly onWarning?: OnWarning;
  readonly signal?: AbortSignal;
}

/** The vaults while they are examined, and what was found so far. */
export interface Examination {
  readonly checks: readonly VaultCheck[];
  readonly findings: Findings;
  /** What points and headers were checked with. */
  readonly access: PublicKeys;
  /** Whether `access` comes from a key, or from headers of all vaults, which agree: nothing may be replaced otherwise. */
  readonly certain: boolean;
  /** Every genuine point of any vault, by its key. */
  readonly known: ReadonlyMap<string, Point>;
  /** Points that were removed on purpose, as a genuine tombstone in any vault says, by their key. */
  readonly removed: ReadonlyMap<string, RemovedPoint>;
  /** What earlier verifications left in each vault. */
  readonly reports: ReadonlyMap<VaultCheck, VaultReports>;
}

/**
 * Lists every vault and reads what is small: header, slots, points and earlier reports; checks that all that points need
 * is there. Throws as `verify`.
 */
export async function examine(options: ExamineOptions, now: number): Promise<Examination> {
  const { signal } = options;
  const findings = new Findings();
  const checks = await listAll(options, findings);
  const given: PublicKeys | undefined = options.keys ?? options.trusted;
  await Promise.all(checks.map((check) => check.readHeader(given)));
  const access = accessFor(checks, given, findings);
  const certain = given !== undefined || agree(checks);
  const header = checks.find((check) => check.header?.repositoryId === access.repositoryId)?.header;
  let points = 0;
  const total = checks.reduce((sum, check) => sum + check.pointNames().length, 0);
  const onPoint = (): void => options.onProgress?.({ phase: 'verify', done: ++points, total, unit: 'points' });
  const reports = new Map<VaultCheck, VaultReports>();
  await Promise.all(checks.map((check) => check.readRemovals(access)));
  const removed = allRemoved(checks);
  await Promise.all(
    checks.map(async (check) => {
      check.expectRescue(check.header ?? header);
      await check.readSlots(access);
      await check.readPoints(access, removed, onPoint);
      reports.set(check, await readReports(check.view, access, now, options));
    }),
  );
  const known = allPoints(checks);
  const slots = allSlots(checks);
  await Promise.all(checks.map((check) => checkTwice(check, findings, () => checkReferences(check, known, slots, removed, options.belongs), signal)));
  await findDisputes(checks, access, findings, signal);
  for (const check of checks) check.tellShadowed();
  signal?.throwIfAborted();
  return { checks, findings, access, certain, known, removed, reports };
}

/**
 * Backups and removals go on while vaults are listed, so one part of a listing may tell of what came after another was read, or of what a
 * vault got after its listing. What seems to be missing is looked for again before it is said.
 */
async function checkTwice(check: VaultCheck, findings: Findings, refer: () => void, signal: AbortSignal | undefined): Promise<void> {
  const known = new Set(findings.all().map(({ vault, object }) => `${vault}\n${object}`));
  refer();
  const missing = findings.takeBack(check.name, ({ kind, object, vault }) => (kind === 'missing' || kind === 'chain') && !check.sizes.has(object) && !known.has(`${vault}\n${object}`));
  if (missing.size === 0) return;
  await check.lookAgain(missing).catch(() => signal?.throwIfAborted());
  refer();
}

async function listAll(options: ExamineOptions, findings: Findings): Promise<VaultCheck[]> {
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
function accessFor(checks: readonly VaultCheck[], keys: PublicKeys | undefined, findings: Findings): PublicKeys {
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
    check.foreign = true;
    findings.add({
      vault: check.name,
      object: HEADER_KEY,
      kind: 'forged',
      message: 'This vault holds another repository',
      points: [],
    });
  }
  return first.header;
}

function agree(checks: readonly VaultCheck[]): boolean {
  const first = checks[0]?.header;
  return first !== undefined && checks.every(({ header }) => header !== undefined && sameRepository(header, first));
}
