import type { PublicKeys } from '../../keys/index.ts';
import { lastVerified } from '../../repository/index.ts';
import { POINTS_PREFIX } from '../../repository/layout.ts';
import type { Vault } from '../../vault/vault.ts';
import { runText } from '../points/verified.ts';
import { formatAge } from '../text.ts';
import type { Report } from './finding.ts';

/** Days after which what is in a vault should have been read again, all of it. docs/cli.md says the same. */
const MAX_DAYS = 30;
const DAY = 86_400_000;

/** How long ago a vault was verified in full: bytes that nobody reads rot unnoticed. Says nothing of a vault without points. */
export async function checkVerified(vault: Vault, keys: PublicKeys | undefined, signal: AbortSignal, subject: string, report: Report): Promise<void> {
  if (!(await hasPoints(vault, signal))) return;
  const { last, full, lastRun } = await lastVerified(vault, keys, { signal });
  const age = full === undefined ? Infinity : Date.now() - Date.parse(full);
  const old = age > MAX_DAYS * DAY;
  const lately = last === undefined ? '' : `${formatAge(Date.now() - Date.parse(last))} ago${runText(lastRun)}`;
  const partly = last === undefined ? '' : `; a part of it ${lately}`;
  report({
    subject,
    check: 'verified',
    status: old ? 'warn' : 'ok',
    message: full === undefined ? `never verified in full${partly}` : `verified in full ${formatAge(age)} ago${old ? partly : `, last ${lately}`}`,
    ...(old && { fix: `Run \`lifeboat verify --data\`, or every day \`lifeboat verify --for 1h\`, so that everything is read in ${MAX_DAYS} days.` }),
  });
}

async function hasPoints(vault: Vault, signal: AbortSignal): Promise<boolean> {
  const points = vault.list(POINTS_PREFIX, { signal })[Symbol.asyncIterator]();
  const first = await points.next();
  await points.return?.();
  return first.done !== true;
}
