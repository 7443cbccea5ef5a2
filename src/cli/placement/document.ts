import type { Config } from '../../config/load.ts';
import type { Proposal } from '../../placement/change.ts';
import type { PlacedPlan } from '../../placement/from-config.ts';
import { lossName } from '../../placement/loss.ts';
import { changeText, reasonsOf } from '../../placement/reasons.ts';
import type { Assessment, Outcome } from '../../placement/survival.ts';
import type { Standing } from '../../placement/topology.ts';
import { whereIs, whereToChange } from '../../placement/where.ts';
import type { ComparedSlots } from './look.ts';

/** All that is shown of a plan, but for its costs. */
export interface Shown {
  readonly plan: string;
  readonly config: Config;
  readonly placed: PlacedPlan;
  readonly assessment: Assessment;
  readonly nearest: readonly Proposal[];
  readonly slots: ComparedSlots;
  readonly doubts: readonly string[];
}

/** The plan as `--json` shows it. */
export function promiseDocument({ plan, config, placed, assessment, nearest, slots, doubts }: Shown): Readonly<Record<string, unknown>> {
  const { topology } = placed;
  const { site, control, vaults, openers, copies, outlives } = topology;
  return {
    plan,
    outlives: outlives ?? null,
    holds: assessment.holds ?? null,
    couldPromise: assessment.strongest ?? null,
    copies,
    site: standing(site),
    control: control === undefined ? null : standing(control),
    vaults: vaults.map(standing),
    keys: openers.map(standing),
    losses: assessment.outcomes.map((outcome) => lossDocument(outcome, assessment)),
    reasons: reasonsOf(assessment.broken, topology).map(({ text, losses, takes }) => ({
      text,
      loss: losses.map(lossName).join(' and '),
      takes: takes.map((thing) => ({ ...thing, where: whereIs(config, placed, thing) })),
    })),
    nearest: nearest.map((proposal) => proposal.map((change) => ({ ...change, text: changeText(change, plan, topology), where: whereToChange(config, placed, plan, change) }))),
    slots:
      'unknown' in slots
        ? slots
        : {
            found: slots.found,
            findings: slots.findings.map(({ kind, text, path }) => ({ kind, text, ...(path !== undefined && { where: config.lineOf(path) }) })),
            silent: slots.silent,
          },
    mistyped: placed.mistyped,
    doubts,
  };
}

function standing({ name, place }: Standing): Readonly<Record<string, unknown>> {
  return { name, domain: place === 'outside' ? null : place };
}

function lossDocument(outcome: Outcome, { broken }: Assessment): Readonly<Record<string, unknown>> {
  const { losses, site, control, vaults, openers, copiesLeft, survives } = outcome;
  return {
    loss: losses.map(lossName).join(' and '),
    level: losses[0]?.level,
    domain: losses[0]?.at,
    site,
    control: control ?? null,
    vaults,
    keys: openers,
    copiesLeft,
    survives,
    breaksPromise: broken.includes(outcome),
  };
}
