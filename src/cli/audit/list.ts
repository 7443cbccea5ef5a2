import { withVaults } from '../../access/repository.ts';
import { systemClock } from '../../core/clock.ts';
import { EXIT } from '../../core/error-codes.ts';
import { readTrail } from '../../server/audit/read.ts';
import type { AuditRecord } from '../../server/audit/record.ts';
import type { Context } from '../context.ts';
import { formatTable } from '../text.ts';
import { trustedKeys } from './keys.ts';
import type { AuditReadOptions } from './keys.ts';

export interface AuditListOptions extends AuditReadOptions {
  /** Milliseconds. */
  readonly since: number;
  readonly limit: number;
  readonly who?: string;
}

/** `lifeboat audit list`: the newest records, the oldest of them first. One that is not genuine is not shown, and warned of. */
export async function auditList(context: Context, options: AuditListOptions): Promise<number> {
  const keys = await trustedKeys(context, options);
  const since = systemClock.now() - options.since;
  return withVaults(context, options, async (vaults) => {
    let records: AuditRecord[] = [];
    for await (const { bad, batch, id, server } of readTrail(vaults, { keys, since, signal: context.signal })) {
      for (const { message, vault } of bad) context.output.warn({ kind: 'audit-not-genuine', message, where: `vault "${vault}", audit/${server}/${id}` });
      records.push(...(batch?.records ?? []).filter(({ who }) => options.who === undefined || who.subject === options.who));
      // Kept in bounds while it is read; the parts of one moment may come in any order.
      if (records.length > 4 * options.limit) records = newest(records, options.limit);
    }
    const shown = newest(records, options.limit);
    await context.output.result({ ok: true, records: shown }, () => (shown.length === 0 ? 'nothing on record' : table(shown)));
    return EXIT.ok;
  });
}

function newest(records: readonly AuditRecord[], limit: number): AuditRecord[] {
  return records.toSorted((a, b) => (a.at === b.at ? a.seq - b.seq : a.at < b.at ? -1 : 1)).slice(-limit);
}

function table(records: readonly AuditRecord[]): string {
  return formatTable(
    [{ title: 'when' }, { title: 'who' }, { title: 'role' }, { title: 'from' }, { title: 'what' }, { title: 'about' }, { title: 'outcome' }],
    records.map(({ at, code, from, outcome, status, what, who }) => [
      at,
      who.subject ?? 'nobody',
      who.role ?? '',
      from,
      `${what.method} ${what.route}`,
      Object.entries(what.ids)
        .map(([name, id]) => `${name}=${id}`)
        .join(' '),
      `${outcome}${status === undefined ? '' : ` ${status}`}${code === undefined ? '' : ` ${code}`}`,
    ]),
  );
}
