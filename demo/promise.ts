/** What the plan promises: a plan that only looks safe is refused, and a better one is shown with what it survives. */
import pc from 'picocolors';
import { lossTable } from '../src/cli/placement/text.ts';
import type { Config } from '../src/config/load.ts';
import type { PlanConfig } from '../src/config/schema.ts';
import { placedPlan } from '../src/placement/from-config.ts';
import { lossName } from '../src/placement/loss.ts';
import { brokenPromise } from '../src/placement/refuse.ts';
import { assess } from '../src/placement/survival.ts';
import { demoConfig, SITE } from './plan.ts';
import type { DemoPlaces } from './plan.ts';
import type { DemoPlan } from './report.ts';
import type { Teller } from './screen.ts';

export interface Promised {
  readonly config: Config;
  readonly plan: PlanConfig;
  readonly summary: DemoPlan;
}

/** Makes the plan of the demo, as a person would who forgets the keys first. */
export function makePlan(places: DemoPlaces, teller: Teller): Promised {
  const careless = demoConfig(places, ['aws-kms']);
  const broken = brokenPromise(careless.config, SITE, careless.plan);
  teller.refused('A plan: a vault in each of three clouds, the keys in the key service of the site’s own: refused', ...(broken === undefined ? [] : [beforeLine(broken.message), `nearest plan that would do: ${beforeLine(broken.fix)}`]));

  const { config, plan } = demoConfig(places, ['aws-kms', 'age']);
  const { topology } = placedPlan(config, plan);
  const { outcomes, holds } = assess(topology);
  const clouds = outcomes.filter(({ losses }) => losses.every(({ level }) => level === 'cloud'));
  teller.tell('The same with one age identity kept in no cloud: `outlives: cloud` is a promise that holds', ...lossTable(topology, clouds, pc).split('\n'));
  return {
    config,
    plan,
    summary: {
      outlives: plan.outlives ?? '',
      copies: topology.copies,
      holds: holds === true,
      refused: broken === undefined ? null : beforeLine(broken.message),
      losses: outcomes.map(({ losses, copiesLeft, openers, survives }) => ({ loss: losses.map(lossName).join(' and '), copiesLeft, keysLeft: openers.kept.length, survives })),
    },
  };
}

/** The text as far as the line of lifeboat.yaml that it names: nobody has this file to look into. */
function beforeLine(text: string): string {
  return text.split(' (lifeboat.yaml:')[0] ?? text;
}
