import { withVaults } from '../../access/repository.ts';
import { EXIT } from '../../core/error-codes.ts';
import { verifyTrail } from '../../server/audit/verify.ts';
import type { AuditReport } from '../../server/audit/verify.ts';
import type { Context } from '../context.ts';
import { formatCount, plural } from '../text.ts';
import { trustedKeys } from './keys.ts';
import type { AuditReadOptions } from './keys.ts';

/** `lifeboat audit verify`: exit 4 when the trail was tampered with, 3 when only some vault lacks a part of it, or there is none. */
export async function auditVerify(context: Context, options: AuditReadOptions): Promise<number> {
  const keys = await trustedKeys(context, options);
  return withVaults(context, options, async (vaults) => {
    const report = await verifyTrail(vaults, { keys, signal: context.signal });
    // A trail that is not there proves nothing.
    const ok = report.ok && report.servers.length > 0;
    await context.output.result({ ...report, ok }, () => reportText(report));
    if (ok) return EXIT.ok;
    return report.findings.every(({ kind }) => kind === 'absent') ? EXIT.partial : EXIT.findings;
  });
}

function reportText({ findings, servers }: AuditReport): string {
  // Nothing leads from a vault that is empty to what was in it.
  if (servers.length === 0 && findings.length === 0) return 'there is no audit trail: nothing was put on record yet, or all of it was removed from every vault that was looked at';
  return [
    ...servers.map(({ server, chains, objects, records, first, last }) =>
      `server ${server}: ${plural(records, 'record')} in ${plural(objects, 'object')} and ${plural(chains, 'chain')}${first === undefined ? '' : `, from ${first} to ${last ?? ''}`}`,
    ),
    ...findings.map(({ kind, message, object, server, vault }) => `  ${kind} ${object ?? `server ${server}`}${vault === undefined ? '' : ` in vault "${vault}"`}: ${message}`),
    findings.length === 0 ? 'nothing was edited, removed, put in another order, or forged' : `${formatCount(findings.length)} ${findings.length === 1 ? 'finding' : 'findings'}`,
  ].join('\n');
}
