import { DAYS_OF_A_MONTH } from '../../placement/cost/cost.ts';
import type { MonthlyCost, VaultCost } from '../../placement/cost/cost.ts';
import type { Style } from '../style.ts';
import { formatBytes, formatTable } from '../text.ts';
import type { UsageFound } from './usage.ts';

/** What a month costs, for people, with all that was taken for granted. */
export function costText(usage: UsageFound, cost: MonthlyCost | undefined, style: Style): string {
  const title = style.bold('What a month costs');
  if ('unknown' in usage || cost === undefined) {
    return `${title}: unknown: ${'unknown' in usage ? usage.unknown : ''}\n  give --stored SIZE and --change SHARE to have it worked out`;
  }
  const { vaults, sending, tables } = cost;
  const rows = vaults.map(vaultRow);
  const known = vaults.flatMap((vault) => ('unknown' in vault ? [] : [vault]));
  const unknown = vaults.length - known.length + ('unknown' in sending ? 1 : 0);
  const month = known.reduce((sum, { storage, requests }) => sum + storage + requests, 0) + ('unknown' in sending ? 0 : sending.usd);
  rows.push('unknown' in sending ? ['sending', `unknown: ${sending.unknown}`] : ['sending', `${formatBytes(sending.bytes)} out of ${sending.from}`, '', '', dollars(sending.usd)]);
  rows.push(['total', unknown > 0 ? 'without what is unknown' : '', '', '', dollars(month)]);
  return [
    `${title}, in USD`,
    formatTable([{ title: '' }, { title: 'at' }, { title: 'storage', right: true }, { title: 'requests', right: true }, { title: 'month', right: true }, { title: 'one restore', right: true }], rows),
    ['Taken for granted:', ...assumptions(usage.from).map((line) => `  - ${line}`)].join('\n'),
    ...(tables.length === 0 ? [] : [['Prices are list prices; what holds is the page:', ...tables.map(({ store, entered, source, basis, compared }) => `  - ${store}: ${source}\n    entered ${entered}: ${basis}\n    compared ${compared.on}: ${compared.with}`)].join('\n')]),
  ].join('\n\n');
}

function vaultRow(vault: VaultCost): readonly string[] {
  if ('unknown' in vault) return [vault.name, `unknown: ${vault.unknown}`];
  const { name, store, region, unconfirmed, storage, requests, restore } = vault;
  return [name, `${store}, ${region}${unconfirmed ? ' (unconfirmed)' : ''}`, dollars(storage), dollars(requests), dollars(storage + requests), dollars(restore)];
}

function assumptions(from: readonly string[]): readonly string[] {
  return [
    ...from,
    `nothing is deleted; a month has ${DAYS_OF_A_MONTH} days; a GB on the bill has 2^30 bytes; no free tier but that of egress, no discounts, no taxes`,
    'one restore reads all that is stored, from one vault, over the internet',
    'not counted: verifying, replicating, calls of key services, old versions and locks that keep what was deleted',
    'sending is priced as if it went over the internet, but for vaults in the sender’s own region',
  ];
}

function dollars(amount: number): string {
  return amount > 0 && amount < 0.005 ? '<0.01' : amount.toFixed(2).replaceAll(/\B(?=(\d{3})+\.)/g, ',');
}

/** The costs as `--json` shows them. */
export function costDocument(usage: UsageFound, cost: MonthlyCost | undefined): Readonly<Record<string, unknown>> {
  if ('unknown' in usage || cost === undefined) return { unknown: 'unknown' in usage ? usage.unknown : '' };
  const { vaults, sending, tables } = cost;
  return {
    currency: 'USD',
    usage: usage.usage,
    vaults,
    sending,
    assumptions: assumptions(usage.from),
    prices: tables.map(({ store, source, entered, basis, compared }) => ({ store, source, entered, basis, compared })),
  };
}
