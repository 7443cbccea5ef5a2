import type { Config } from '../../config/load.ts';
import type { PlanConfig } from '../../config/schema.ts';
import { placedPlan } from '../../placement/from-config.ts';
import { assess } from '../../placement/survival.ts';
import type { Context } from '../context.ts';
import { compareSlots, lookInto } from '../placement/look.ts';
import type { Report } from './finding.ts';

/** Whether the key slots in the vaults of a plan are what lifeboat.yaml says opens the repository. Vaults that cannot be asked are told of elsewhere. */
export async function checkSlots(context: Context, config: Config, name: string, plan: PlanConfig, report: Report): Promise<void> {
  const placed = placedPlan(config, plan);
  const compared = compareSlots(placed, assess(placed.topology), await lookInto(context, config, plan));
  if ('unknown' in compared) return;
  const about = { subject: `plan "${name}"`, check: 'key-slots' };
  for (const { kind, text, path } of compared.findings) {
    const breaks = kind === 'breaks';
    const where = path === undefined ? '' : ` (${config.lineOf(path)})`;
    report({ ...about, status: breaks ? 'fail' : 'warn', message: `${breaks ? 'its promise holds on paper only: ' : ''}${text}${where}`, ...(breaks && { fix: `\`lifeboat placement ${name}\` shows every slot; \`lifeboat keys add\` makes one that is not lost with it.` }) });
  }
  if (compared.findings.length > 0) return;
  const named = placed.openersAssumed ? 'there are key slots for what people keep' : `there are key slots for all that opens it: ${placed.ways.map((way) => way.name).join(', ')}`;
  report({ ...about, status: 'ok', message: compared.silent.length === 0 ? named : `${named}; not asked: ${compared.silent.map(({ vault }) => vault).join(', ')}` });
}
