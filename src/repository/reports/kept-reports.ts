import type { z } from 'zod';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import { publicKeyFor } from '../../keys/index.ts';
import type { PublicKeys, ReadKey, RolePurpose } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { sha256Hex } from '../bytes.ts';
import { compactTime, REPORT_ID } from '../layout.ts';
import { genuineView } from '../originals.ts';
import { decodeWholeSignedJson, encodeSignedJson } from '../signed-json.ts';
import type { SignedKind } from '../signed-json.ts';
import { readObject, whereIs } from '../vault-io.ts';

/** A larger object is not read: no report comes near it. */
const MAX_BYTES = 32 * 1024 * 1024;

/** What a report of any kind has, so that it can be kept: whose it is, and when it ended (ISO 8601, UTC). */
export interface KeptDocument {
  readonly repository: string;
  readonly at: string;
}

/** A kind of reports that are kept for people, in every vault, below `reports/<name>/`. docs/format.md, "Reports". */
export interface ReportKind<T extends z.ZodType<KeptDocument>> extends SignedKind<T> {
  readonly purpose: RolePurpose;
  readonly name: string;
}

/** A genuine report, and where it is. */
export interface FoundReport<T> {
  readonly id: string;
  readonly report: T;
  readonly vaults: readonly string[];
}

/** What lies where reports are, and is none. */
export interface BadReport {
  readonly id: string;
  readonly vault: string;
  readonly problem: string;
}

interface Context {
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** The bytes of a report, signed with the report key, and its id: when it ended, and their SHA-256. */
export function signReport<T extends z.ZodType<KeptDocument>>(kind: ReportKind<T>, document: z.input<T> & KeptDocument, keys: ReadKey): { readonly id: string; readonly bytes: Buffer } {
  const bytes = encodeSignedJson(kind, document, keys.reportKey);
  return { id: `${compactTime(Date.parse(document.at))}-${sha256Hex(bytes)}`, bytes };
}

/**
 * Reads the bytes of a report. Throws `LB_REPO_FORGED` unless the read role of this repository made it, as it is and under this id,
 * `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`.
 */
export function openReport<T extends z.ZodType<KeptDocument>>(kind: ReportKind<T>, bytes: Uint8Array, access: PublicKeys, id?: string): z.output<T> {
  const report = decodeWholeSignedJson(kind, bytes, publicKeyFor(kind.purpose, access));
  if (report.repository !== access.repositoryId) throw new LifeboatError('LB_REPO_FORGED', 'The report is of another repository');
  const own = `${compactTime(Date.parse(report.at))}-${sha256Hex(bytes)}`;
  if (id !== undefined && id !== own) throw new LifeboatError('LB_REPO_FORGED', `The report ${own} was put under another name`);
  return report;
}

/** Creates a report in each vault; one that does not take it is warned of. Gives the names of those that have it. */
export async function keepReport(kind: Pick<ReportKind<z.ZodType<KeptDocument>>, 'name'>, signed: { readonly id: string; readonly bytes: Uint8Array }, vaults: readonly Vault[], { signal, onWarning }: Context = {}): Promise<readonly string[]> {
  const key = keyOf(kind, signed.id);
  const kept = await Promise.all(
    vaults.map(async (vault) => {
      try {
        await vault.put(key, signed.bytes, { signal });
        return [vault.name];
      } catch (error) {
        signal?.throwIfAborted();
        onWarning?.({ kind: 'report-not-kept', message: messageOf(error), where: whereIs(vault, key) });
        return [];
      }
    }),
  );
  return kept.flat();
}

/**
 * Reads the reports of a kind back, newest first, at most `limit` of them, each from the first vault that has it intact. What is there
 * and is not genuine is told, and counts for nothing. A vault that cannot be listed is warned of; throws its error when none can be.
 */
export async function readKeptReports<T extends z.ZodType<KeptDocument>>(
  kind: ReportKind<T>,
  vaults: readonly Vault[],
  access: PublicKeys,
  options: Context & { readonly limit?: number } = {},
): Promise<{ readonly reports: readonly FoundReport<z.output<T>>[]; readonly bad: readonly BadReport[] }> {
  const { signal, onWarning, limit = 1000 } = options;
  const places = new Map<string, Vault[]>();
  let failure: Error | undefined;
  let listed = 0;
  for (const vault of vaults.map((one) => genuineView(one, onWarning))) {
    try {
      for await (const { key, size } of vault.list(prefixOf(kind), { signal })) {
        const id = key.slice(prefixOf(kind).length);
        if (REPORT_ID.test(id) && size <= MAX_BYTES) places.set(id, [...(places.get(id) ?? []), vault]);
      }
      listed += 1;
    } catch (error) {
      signal?.throwIfAborted();
      failure = error instanceof Error ? error : new Error(String(error));
      onWarning?.({ kind: 'vault-unavailable', message: messageOf(error), where: `vault "${vault.name}"` });
    }
  }
  if (listed === 0 && failure !== undefined) throw failure;
  const reports: FoundReport<z.output<T>>[] = [];
  const bad: BadReport[] = [];
  for (const id of [...places.keys()].toSorted().toReversed()) {
    if (reports.length >= limit) break;
    const having = places.get(id) ?? [];
    const genuine: string[] = [];
    let report: z.output<T> | undefined;
    for (const vault of having) {
      try {
        report = openReport(kind, await readObject(vault, keyOf(kind, id), { signal }), access, id);
        genuine.push(vault.name);
      } catch (error) {
        signal?.throwIfAborted();
        bad.push({ id, vault: vault.name, problem: messageOf(error) });
      }
    }
    if (report !== undefined) reports.push({ id, report, vaults: genuine });
  }
  return { reports, bad };
}

function prefixOf(kind: Pick<ReportKind<z.ZodType<KeptDocument>>, 'name'>): string {
  return `reports/${kind.name}/`;
}

function keyOf(kind: Pick<ReportKind<z.ZodType<KeptDocument>>, 'name'>, id: string): string {
  return `${prefixOf(kind)}${id}`;
}
