import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import { publicKeyFor } from '../../keys/index.ts';
import type { PublicKeys, ReadKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { sha256Hex } from '../bytes.ts';
import { compactTime, REPORT_ID, SHA256_HEX } from '../layout.ts';
import { decodeSignedJson, encodeSignedJson } from '../signed-json.ts';
import { Coverage } from './coverage.ts';

const count = z.int().min(0);
const schema = z.object({
  repository: z.string(),
  vault: z.string(),
  place: z.string().regex(SHA256_HEX),
  startedAt: z.iso.datetime(),
  at: z.iso.datetime(),
  full: z.iso.datetime().optional(),
  read: z.object({ objects: count, bytes: count }),
  findings: count,
  includes: z.array(z.string().regex(REPORT_ID)),
  coverage: z.object({ bytes: count, sha256: z.string().regex(SHA256_HEX) }),
});
const KIND = { format: 'lifeboat-verify-report', purpose: 'lifeboat/1/report' as const, schema };

/** What one verification leaves in a vault about that vault. */
export interface CoverageReport {
  /** The vault's name when it was verified: for people. */
  readonly vault: string;
  /** ISO 8601, UTC: when the verification began and ended. */
  readonly startedAt: string;
  readonly at: string;
  /** Everything that points needed at this time has been read since; absent when there is no such time. ISO 8601, UTC. */
  readonly full?: string | undefined;
  /** What this verification read. */
  readonly read: { readonly objects: number; readonly bytes: number };
  readonly findings: number;
  /** Names of earlier reports whose coverage is in this one. */
  readonly includes: readonly string[];
  readonly coverage: Coverage;
}

/**
 * Where a vault is, as a report says it. A report counts only for the place it was made of: one that was carried over to
 * another vault with everything else, or put there by somebody, says nothing of the bytes there.
 */
function placeOf(vault: Vault): string {
  return sha256Hex(Buffer.from(vault.location));
}

/** A report as it is stored, and its name. */
export function encodeReport(report: CoverageReport, vault: Vault, keys: ReadKey): { readonly id: string; readonly bytes: Buffer } {
  const coverage = report.coverage.encode();
  const document = {
    repository: keys.repositoryId,
    vault: report.vault,
    place: placeOf(vault),
    startedAt: report.startedAt,
    at: report.at,
    ...(report.full !== undefined && { full: report.full }),
    read: report.read,
    findings: report.findings,
    includes: report.includes,
    coverage: { bytes: coverage.length, sha256: sha256Hex(coverage) },
  };
  const bytes = Buffer.concat([encodeSignedJson(KIND, document, keys.reportKey), coverage]);
  return { id: `${compactTime(Date.parse(report.at))}-${sha256Hex(bytes)}`, bytes };
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT` unless the read role made this report, of this vault. */
export function decodeReport(bytes: Uint8Array, vault: Vault, access: PublicKeys): CoverageReport {
  const { document, length } = decodeSignedJson(KIND, bytes, publicKeyFor(KIND.purpose, access));
  const { repository, place, coverage: section, ...report } = document;
  if (repository !== access.repositoryId || place !== placeOf(vault)) {
    throw new LifeboatError('LB_REPO_FORGED', 'The report is of another vault or repository');
  }
  const coverage = bytes.subarray(length);
  if (coverage.length !== section.bytes || sha256Hex(coverage) !== section.sha256) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'The report is damaged after its signed part');
  }
  return { ...report, coverage: Coverage.decode(coverage) };
}
