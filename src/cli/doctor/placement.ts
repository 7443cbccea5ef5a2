import type { Config } from '../../config/load.ts';
import type { PlanConfig } from '../../config/schema.ts';
import { placedPlan } from '../../placement/from-config.ts';
import { aLevel } from '../../placement/reasons.ts';
import { brokenPromise } from '../../placement/refuse.ts';
import { assess } from '../../placement/survival.ts';
import type { Report } from './finding.ts';

/** Whether the vaults, keys and control side of a plan keep its promise. */
export function checkPlacement(config: Config, name: string, plan: PlanConfig, report: Report): void {
  const subject = `plan "${name}"`;
  const check = 'placement';
  const broken = brokenPromise(config, name, plan);
  if (broken !== undefined) {
    report({ subject, check, status: 'fail', message: `it ${broken.message}`, fix: broken.fix });
    return;
  }
  if (plan.outlives !== undefined) {
    report({ subject, check, status: 'ok', message: `it outlives ${aLevel(plan.outlives)}, as it promises` });
    return;
  }
  const { strongest } = assess(placedPlan(config, plan).topology);
  const could = strongest === undefined ? 'nothing, as far as is known' : aLevel(strongest);
  report({ subject, check, status: 'ok', message: `it promises to outlive nothing; it could promise ${could} (\`lifeboat placement ${name}\`)` });
}
