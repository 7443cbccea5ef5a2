import type { Config } from '../../config/load.ts';
import type { PlanConfig } from '../../config/schema.ts';
import type { Report } from './finding.ts';

/** Whether the vaults of a plan lock what the plan says is to be locked. What their buckets really do, `checkVault` tries. */
export function checkLocks(config: Config, name: string, plan: PlanConfig, report: Report): void {
  const [subject, check] = [`plan "${name}"`, 'lock'];
  const vaults = plan.vaults.flatMap((vault) => config.vaults.get(vault) ?? []);
  const locking = vaults.filter((vault) => vault.type !== 'directory' && vault.lock === true).map((vault) => vault.name);
  if (plan.lock === undefined) {
    if (locking.length === 0) return;
    report({
      subject,
      check,
      status: 'warn',
      message: `${locking.join(', ')} could lock what is stored, and the plan does not ask for it: nothing is locked`,
      fix: 'Say under the plan for how long: `lock: 30d`.',
    });
    return;
  }
  for (const vault of vaults) {
    if (locking.includes(vault.name)) continue;
    const directory = vault.type === 'directory';
    report({
      subject,
      check,
      status: 'warn',
      message: `it asks for locks, and vault "${vault.name}" ${directory ? 'is a folder, which cannot lock' : 'is not set to lock'}: what is stored there can be deleted by whoever may delete`,
      fix: directory ? 'Have another vault that locks; see docs/vaults.md, "Locks".' : 'Make a bucket with object lock, and say `lock: true` under the vault; see docs/vaults.md, "Locks".',
    });
  }
  if (locking.length > 0) report({ subject, check, status: 'ok', message: `what it stores is locked for ${plan.lock} in ${locking.join(', ')}` });
}
