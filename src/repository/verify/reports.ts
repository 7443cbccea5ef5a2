import { messageOf } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import type { PublicKeys, ReadKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { REPORT_ID, reportKey, REPORTS_PREFIX } from '../layout.ts';
import { readObject, whereIs } from '../vault-io.ts';
import { Coverage } from './coverage.ts';
import { decodeReport, encodeReport } from './coverage-report.ts';
import type { CoverageReport } from './coverage-report.ts';

/** Reports that are looked at, newest first: each genuine one includes those before it, so one is enough as a rule. */
const MAX_READ = 32;
/** A larger object under `reports/` is not read: this would be some ten million objects. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A clock may be this much ahead of another one, seconds. */
const CLOCK_SLACK = 24 * 3600;

/** What the genuine reports of a vault say together. */
export interface VaultReports {
  readonly coverage: Coverage;
  /** Their names, those that they include too, as far as they are still there. */
  readonly names: readonly string[];
  /** When the last verification that read data ended: ISO 8601, UTC. */
  readonly last?: string | undefined;
  /** See `CoverageReport`: the latest that any says. */
  readonly full?: string | undefined;
  /** What that last verification did. */
  readonly lastRun?: VerificationRun | undefined;
}

/** What one verification that read data did in a vault. */
export interface VerificationRun {
  readonly objects: number;
  readonly bytes: number;
  /** How long it took, with all other vaults it looked at. */
  readonly seconds: number;
  readonly findings: number;
}

interface ReportOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/**
 * Reads the reports in a vault. One that is not genuine counts for nothing, with a warning: then what it would have told is
 * read again. Throws what listing the vault throws.
 */
export async function readReports(vault: Vault, access: PublicKeys, now: number, options: ReportOptions = {}): Promise<VaultReports> {
  const { signal, onWarning } = options;
  const listed: string[] = [];
  for await (const { key, size } of vault.list(REPORTS_PREFIX, { signal })) {
    const id = key.slice(REPORTS_PREFIX.length);
    if (REPORT_ID.test(id) && size <= MAX_BYTES) listed.push(id);
  }
  const latest = Math.floor(now / 1000) + CLOCK_SLACK;
  const coverage = new Coverage();
  const names = new Set<string>();
  const genuine: CoverageReport[] = [];
  let read = 0;
  for (const id of listed.toReversed()) {
    if (names.has(id)) continue;
    if (++read > MAX_READ) break;
    try {
      const report = decodeReport(await readObject(vault, reportKey(id), { signal }), vault, access);
      coverage.merge(report.coverage, latest);
      for (const name of [id, ...report.includes]) names.add(name);
      genuine.push(report);
    } catch (error) {
      signal?.throwIfAborted();
      onWarning?.({ kind: 'report-ignored', message: `A report counts for nothing: ${messageOf(error)}`, where: whereIs(vault, reportKey(id)) });
    }
  }
  const newest = (times: readonly (string | undefined)[]): string | undefined =>
    times.reduce((a, b) => (b === undefined || Date.parse(b) > latest * 1000 || (a !== undefined && a > b) ? a : b), undefined);
  const last = newest(genuine.map((report) => report.at));
  const lastReport = genuine.find(({ at }) => at === last);
  return {
    coverage,
    names: listed.filter((id) => names.has(id)),
    last,
    full: newest(genuine.map((report) => report.full)),
    ...(lastReport !== undefined && { lastRun: runOf(lastReport) }),
  };
}

function runOf({ read, startedAt, at, findings }: CoverageReport): VerificationRun {
  return { ...read, seconds: Math.max(0, Date.parse(at) - Date.parse(startedAt)) / 1000, findings };
}

/**
 * Stores a report, then deletes those it includes, as far as the vault permits. A vault that does not take it is warned
 * of: then the next verification reads again what this one read.
 */
export async function storeReport(report: CoverageReport, vault: Vault, keys: ReadKey, options: ReportOptions = {}): Promise<boolean> {
  const { signal, onWarning } = options;
  const { id, bytes } = encodeReport(report, vault, keys);
  try {
    await vault.put(reportKey(id), bytes, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    onWarning?.({
      kind: 'report-not-kept',
      message: `What was read is not remembered: ${messageOf(error)}`,
      where: whereIs(vault, reportKey(id)),
    });
    return false;
  }
  for (const name of report.includes) {
    try {
      await vault.delete(reportKey(name), { signal });
    } catch {
      // Without the right to delete it stays, and is passed over because the new one includes it.
      signal?.throwIfAborted();
      break;
    }
  }
  return true;
}
